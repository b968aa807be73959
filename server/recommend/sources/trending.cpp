#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

class Trending final : public CandidateSource {
 public:
  std::string_view name() const override { return "trending"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const auto trending = context.popularity.trending();
    for (const profiles::PopularProduct& entry : *trending) {
      if (out.size() == context.pool) break;
      out.push_back(entry.product);
    }
    return absl::OkStatus();
  }

  Reason reason(const Context&, ProductNumber) const override {
    return {.kind = "trending", .product_id = {}, .text = "Trending now"};
  }
};

}  // namespace

const CandidateSource& trending_source() {
  static const Trending source;
  return source;
}

}  // namespace vitrine::recommend
