#include "server/recommend/product_condition.h"

#include <algorithm>
#include <string_view>

namespace vitrine::recommend {
namespace {

bool names(const std::vector<std::string>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

bool is_in_any(const Product& product, const std::vector<std::string>& categories) {
  return std::ranges::any_of(product.categories, [&](const std::string& path) {
    return std::ranges::any_of(
        categories, [&](const std::string& category) { return is_in_category(path, category); });
  });
}

bool is_affordable(const ProductCondition& condition, const Product& product) {
  if (!condition.price_min && !condition.price_max) return true;
  if (!product.price) return false;
  if (!condition.currency.empty() && product.currency != condition.currency) return false;
  return (!condition.price_min || *product.price >= *condition.price_min) &&
         (!condition.price_max || *product.price <= *condition.price_max);
}

}  // namespace

bool holds(const ProductCondition& condition, const Product& product) {
  if (!condition.products.empty() && !names(condition.products, product.product_id)) return false;
  if (!condition.categories.empty() && !is_in_any(product, condition.categories)) return false;
  if (is_in_any(product, condition.not_categories)) return false;
  if (!condition.brands.empty() && !names(condition.brands, product.brand)) return false;
  if (names(condition.not_brands, product.brand)) return false;
  if (!is_affordable(condition, product)) return false;
  return std::ranges::all_of(condition.attributes, [&](const auto& wanted) {
    const auto found = product.attributes.find(wanted.first);
    return found != product.attributes.end() && found->second == wanted.second;
  });
}

}  // namespace vitrine::recommend
