// From a condition's fields to terms over columns.
#include <algorithm>
#include <limits>
#include <utility>

#include "server/recommend/assortment.h"
#include "server/recommend/column_scan.h"

namespace vitrine::recommend {
namespace {

template <std::size_t n>
constexpr std::size_t place_of(const std::array<ProductSlot, n>& columns, ProductSlot slot) {
  return static_cast<std::size_t>(std::ranges::find(columns, slot) - columns.begin());
}

constexpr std::size_t k_brand = place_of(k_text_columns, ProductSlot::brand);
constexpr std::size_t k_currency = place_of(k_text_columns, ProductSlot::currency);
constexpr std::size_t k_categories = place_of(k_list_columns, ProductSlot::categories);
constexpr std::size_t k_markets = place_of(k_list_columns, ProductSlot::markets);
constexpr std::size_t k_id = place_of(k_hash_columns, ProductSlot::product_id);

// A condition of its own, so that a product is asked for just this.
AskProduct asking(ProductCondition condition) {
  return [condition = std::move(condition)](const Product& product) {
    return holds(condition, product, 0);
  };
}

ScanTermPtr of_ids(const std::vector<std::string>& ids) {
  std::vector<std::uint32_t> hashes;
  hashes.reserve(ids.size());
  for (const std::string& id : ids) hashes.push_back(column_hash(id));
  std::vector<std::string> sorted = ids;
  std::ranges::sort(sorted);
  return scan_hashes(k_id, std::move(hashes), [sorted](const Product& product) {
    return std::ranges::binary_search(sorted, product.product_id);
  });
}

ScanTermPtr of_brands(const std::vector<std::string>& brands) {
  std::vector<std::string> sorted = brands;
  std::ranges::sort(sorted);
  const auto is_one = [sorted](std::string_view brand) {
    return std::binary_search(sorted.begin(), sorted.end(), brand, std::less<>());
  };
  return scan_text(
      k_brand, [is_one](auto brand) { return is_one(brand.value_or(std::string_view())); },
      [is_one](const Product& product) { return is_one(product.brand); });
}

ScanTermPtr of_categories(const std::vector<std::string>& categories) {
  const auto is_in_one = [categories](std::string_view path) {
    return std::ranges::any_of(
        categories, [&](const std::string& category) { return is_in_category(path, category); });
  };
  return scan_any_text(
      k_categories, [is_in_one](auto path) { return path && is_in_one(*path); },
      asking({.categories = categories}));
}

void add_price(const ProductCondition& condition, std::vector<ScanTermPtr>& terms) {
  if (!condition.price_min && !condition.price_max) return;
  using Limits = std::numeric_limits<std::int64_t>;
  if (!condition.currency.empty()) {
    const auto is_it = [currency = condition.currency](std::string_view text) {
      return text == currency;
    };
    terms.push_back(scan_text(
        k_currency, [is_it](auto text) { return text && is_it(*text); },
        [is_it](const Product& product) { return is_it(product.currency); }));
  }
  terms.push_back(scan_price_between(
      condition.price_min.value_or(Money{Limits::min()}).minor,
      condition.price_max.value_or(Money{Limits::max()}).minor,
      asking({.price_min = condition.price_min, .price_max = condition.price_max})));
}

}  // namespace

ScanTermPtr scan_of(const ProductCondition& condition, TimeMs now_ms) {
  std::vector<ScanTermPtr> terms;
  if (!condition.products.empty()) terms.push_back(of_ids(condition.products));
  if (!condition.categories.empty()) terms.push_back(of_categories(condition.categories));
  if (!condition.not_categories.empty()) {
    terms.push_back(scan_not(of_categories(condition.not_categories)));
  }
  if (!condition.brands.empty()) terms.push_back(of_brands(condition.brands));
  if (!condition.not_brands.empty()) terms.push_back(scan_not(of_brands(condition.not_brands)));
  add_price(condition, terms);
  for (const auto& [key, value] : condition.attributes) {
    terms.push_back(scan_attribute(
        key, [wanted = value](auto text) { return text && *text == wanted; },
        asking({.attributes = {{key, value}}})));
  }
  if (condition.expression.product_tree() != nullptr) {
    terms.push_back(scan_of(condition.expression, now_ms));
  }
  if (terms.empty()) return scan_constant(true);
  return scan_all_of(std::move(terms));
}

ScanTermPtr scan_of_category(std::string_view category) {
  return category.empty() ? scan_constant(true) : of_categories({std::string(category)});
}

ScanTermPtr scan_of_market(std::string_view market) {
  if (market.empty()) return scan_constant(true);
  std::vector<ScanTermPtr> terms;
  terms.push_back(scan_comparison(expressions::Operation::equal, number_list_size(k_markets),
                                  number_constant(0)));
  terms.push_back(scan_any_text(
      k_markets, [name = std::string(market)](auto text) { return text && *text == name; },
      [name = std::string(market)](const Product& product) {
        return is_of_market(product, name);
      }));
  return scan_any_of(std::move(terms));
}

}  // namespace vitrine::recommend
