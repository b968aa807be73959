#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "server/recommend/sources/sources.h"
#include "server/recommend/visit.h"

namespace vitrine::recommend {
namespace {

// Of a part of the catalog as large as that, the other sources know enough.
constexpr std::size_t k_products_looked_at_max = 50'000;

// Whether the filters let it through as far as they speak of the visit, which no bit tells of.
bool is_allowed(const Context& context, ProductNumber product) {
  if (context.visit == nullptr) return true;
  const Product* const known = context.catalog->find(product);
  return known != nullptr && is_allowed_by_visit(context, *known);
}

// What the request asks for, the popular first; nothing when it asks for everything.
class Catalog final : public CandidateSource {
 public:
  std::string_view name() const override { return "catalog"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    if (context.assortment == nullptr) return absl::OkStatus();
    thread_local std::vector<std::pair<float, ProductNumber>> found;
    found.clear();
    context.assortment->products().for_each([&](std::uint32_t number) {
      if (found.size() == k_products_looked_at_max) return;
      const ProductNumber product(number);
      if (!is_allowed(context, product)) return;
      found.emplace_back(context.popularity_of(product), product);
    });
    const auto end =
        found.begin() + static_cast<std::ptrdiff_t>(std::min(context.pool, found.size()));
    std::partial_sort(found.begin(), end, found.end(), std::greater<>());
    for (auto entry = found.begin(); entry != end; ++entry) out.push_back(entry->second);
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber) const override {
    if (context.request.category.empty()) {
      return {.kind = "catalog", .product_id = {}, .text = "From our range"};
    }
    return {.kind = "catalog",
            .product_id = {},
            .text = fmt::format("More from {}", context.request.category)};
  }
};

}  // namespace

const CandidateSource& catalog_source() {
  static const Catalog source;
  return source;
}

}  // namespace vitrine::recommend
