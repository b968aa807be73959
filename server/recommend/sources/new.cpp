#include <algorithm>

#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// Product numbers are given in the order products are first seen, so the latest have the highest.
// How far back is looked is limited, whatever the size of the catalog.
constexpr std::size_t k_numbers_looked_at_max = 4000;

class New final : public CandidateSource {
 public:
  std::string_view name() const override { return "new"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const std::size_t end = context.numbers.size();
    const std::size_t looked_at = std::min(end, k_numbers_looked_at_max);
    for (std::size_t back = 1; back <= looked_at && out.size() < context.pool; ++back) {
      const ProductNumber product(static_cast<std::uint32_t>(end - back));
      if (context.catalog->find(product) != nullptr) out.push_back(product);
    }
    return absl::OkStatus();
  }

  Reason reason(const Context&, ProductNumber) const override {
    return {.kind = "new", .product_id = {}, .text = "New in the shop"};
  }
};

}  // namespace

const CandidateSource& new_source() {
  static const New source;
  return source;
}

}  // namespace vitrine::recommend
