#include <algorithm>
#include <optional>

#include "base/status.h"
#include "server/recommend/reason.h"
#include "server/recommend/score_table.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

constexpr std::int64_t k_price_ratio_max = 2;  // of the product's own price
// So many products with a price show what somebody is used to pay.
constexpr std::size_t k_band_products_min = 3;

// A dearer product of the same category: at most twice the price, and for somebody who always looks
// at cheaper things, no dearer than the dearest of these, but at least a quarter dearer than the
// product itself.
class Upsell final : public CandidateSource {
 public:
  std::string_view name() const override { return "upsell"; }

  SourceCost cost(const Context& context) const override {
    const std::optional<ProductNumber> anchor = product_of_page(context);
    return anchor && needs_search(context, *anchor) ? SourceCost::search : SourceCost::lookup;
  }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const std::optional<ProductNumber> anchor = product_of_page(context);
    if (!anchor) return absl::OkStatus();
    const Product* const known = context.catalog->find(*anchor);
    if (known == nullptr || !known->price || known->categories.empty()) return absl::OkStatus();
    VITRINE_RETURN_IF_ERROR(related_products(context, *anchor, out));
    append_popular_of_category(context, *anchor, out);
    const Money highest = price_max(context, *known);
    std::erase_if(out, [&](ProductNumber candidate) {
      const Product* const product = context.catalog->find(candidate);
      return product == nullptr || !product->price || product->currency != known->currency ||
             *product->price <= *known->price || *product->price > highest ||
             !shares_category(*product, *known);
    });
    keep_first_of_each(out);
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    return about_product(context, "upsell", "A step up from",
                         product_of_page(context).value_or(product));
  }

 private:
  static Money price_max(const Context& context, const Product& anchor) {
    const Money highest{anchor.price->minor * k_price_ratio_max};
    const Money least{anchor.price->minor + anchor.price->minor / 4};
    Money dearest{0};
    std::size_t priced = 0;
    for (const Interest& interest : context.interests) {
      const Product* const product = context.catalog->find(interest.product);
      if (product == nullptr || !product->price || product->currency != anchor.currency) continue;
      dearest = std::max(dearest, *product->price);
      ++priced;
    }
    return priced < k_band_products_min ? highest : std::clamp(dearest, least, highest);
  }

  static bool shares_category(const Product& product, const Product& anchor) {
    return std::ranges::any_of(product.categories, [&](const std::string& path) {
      return is_in_category(path, anchor.categories.front());
    });
  }

  static void keep_first_of_each(std::vector<ProductNumber>& products) {
    thread_local ScoreTable known;
    known.begin();
    std::erase_if(products, [](ProductNumber product) {
      float& count = known.at(product.value());
      return ++count > 1;
    });
  }
};

}  // namespace

const CandidateSource& upsell_source() {
  static const Upsell source;
  return source;
}

}  // namespace vitrine::recommend
