#include "server/recommend/product_condition.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/status.h"

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

absl::Status validate(const ProductCondition& condition, std::string_view field) {
  const std::array<std::pair<std::string_view, std::size_t>, 5> lists = {
      {{"products", condition.products.size()},
       {"categories", condition.categories.size()},
       {"brands", condition.brands.size()},
       {"not_categories", condition.not_categories.size()},
       {"not_brands", condition.not_brands.size()}}};
  for (const auto& [name, size] : lists) {
    if (size <= ProductCondition::k_values_max) continue;
    return invalid_argument("{}.{} must have at most {} values, got {}", field, name,
                            ProductCondition::k_values_max, size);
  }
  if (condition.attributes.size() > ProductCondition::k_attributes_max) {
    return invalid_argument("{}.attributes must have at most {} entries, got {}", field,
                            ProductCondition::k_attributes_max, condition.attributes.size());
  }
  if (!condition.currency.empty() && !is_currency(condition.currency)) {
    return invalid_argument("{}.currency must be three capital letters as in ISO 4217, got '{}'",
                            field, condition.currency.substr(0, 16));
  }
  if (condition.price_min && condition.price_max && *condition.price_min > *condition.price_max) {
    return invalid_argument("{}.price_min must not be above price_max: {} > {}", field,
                            format_money(*condition.price_min, condition.currency),
                            format_money(*condition.price_max, condition.currency));
  }
  return absl::OkStatus();
}

bool holds(const ProductCondition& condition, const Product& product, TimeMs now_ms) {
  if (!condition.products.empty() && !names(condition.products, product.product_id)) return false;
  if (!condition.categories.empty() && !is_in_any(product, condition.categories)) return false;
  if (is_in_any(product, condition.not_categories)) return false;
  if (!condition.brands.empty() && !names(condition.brands, product.brand)) return false;
  if (names(condition.not_brands, product.brand)) return false;
  if (!is_affordable(condition, product)) return false;
  const bool has_attributes = std::ranges::all_of(condition.attributes, [&](const auto& wanted) {
    const auto found = product.attributes.find(wanted.first);
    return found != product.attributes.end() && found->second == wanted.second;
  });
  return has_attributes && condition.expression.holds(product, now_ms);
}

}  // namespace vitrine::recommend
