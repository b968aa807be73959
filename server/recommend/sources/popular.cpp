#include <fmt/core.h>

#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// From the log; a server that has a model and no events yet takes the model's word.
class Popular final : public CandidateSource {
 public:
  std::string_view name() const override { return "popular"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const auto popular = context.popularity.popular();
    for (const profiles::PopularProduct& entry : *popular) {
      if (out.size() == context.pool) break;
      out.push_back(entry.product);
    }
    if (popular->empty() && context.live->model() != nullptr) {
      for (const std::uint32_t row : context.live->model()->popularity().ranking()) {
        if (out.size() == context.pool) break;
        out.push_back(context.live->number_of(row));
      }
    }
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber) const override {
    if (context.request.category.empty()) {
      return {.kind = "popular", .product_id = {}, .text = "Popular with our customers"};
    }
    return {.kind = "popular",
            .product_id = {},
            .text = fmt::format("Popular in {}", context.request.category)};
  }
};

}  // namespace

const CandidateSource& popular_source() {
  static const Popular source;
  return source;
}

}  // namespace vitrine::recommend
