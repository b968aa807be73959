#include "server/recommend/filter_stage.h"

#include <algorithm>

namespace vitrine::recommend {
namespace {

constexpr std::array<std::string_view, k_removal_count> k_names = {
    "not_in_catalog", "hidden",  "out_of_stock",    "unavailable", "market", "category",
    "excluded",       "in_cart", "current_product", "purchased",   "variant"};

constexpr std::uint8_t k_admitted = 1;
constexpr std::uint8_t k_removed = 2;
constexpr std::uint8_t k_variant = 3;  // admitted, but another one of its group is shown

std::optional<Removal> removal_by_catalog(const Context& context, const Product& product) {
  if (product.hidden) return Removal::hidden;
  if (!product.in_stock) return Removal::out_of_stock;
  if (!product.is_showable(context.now_ms)) return Removal::unavailable;
  const std::string& market = context.request.market;
  if (!market.empty() && !product.markets.empty() &&
      std::ranges::find(product.markets, market) == product.markets.end()) {
    return Removal::market;
  }
  return std::nullopt;
}

bool is_in_requested_category(const Context& context, const Product* product) {
  const std::string& category = context.request.category;
  if (category.empty()) return true;
  return product != nullptr &&
         std::ranges::any_of(product->categories, [&](const std::string& path) {
           return is_in_category(path, category);
         });
}

bool is_variant_of_current(const Context& context, const Product* product) {
  if (!context.placement.exclude_product_group || !context.product) return false;
  const Product* const current = context.catalog->find(*context.product);
  return product != nullptr && current != nullptr && !current->group_id.empty() &&
         product->group_id == current->group_id;
}

}  // namespace

std::string_view name_of(Removal removal) { return k_names[static_cast<std::size_t>(removal)]; }

std::optional<Removal> removal_of(const Context& context, ProductNumber product) {
  const Product* const known = context.catalog->find(product);
  if (known == nullptr && context.catalog->size() > 0) return Removal::not_in_catalog;
  if (known != nullptr) {
    if (const auto removal = removal_by_catalog(context, *known)) return removal;
  }
  if (!is_in_requested_category(context, known)) return Removal::category;
  if (context.marks.has(product, Mark::excluded)) return Removal::excluded;
  if (context.marks.has(product, Mark::in_cart)) return Removal::in_cart;
  if (context.marks.has(product, Mark::current) || is_variant_of_current(context, known)) {
    return Removal::current_product;
  }
  if (context.marks.has(product, Mark::purchased)) return Removal::purchased;
  return std::nullopt;
}

bool FilterStage::admits(ProductNumber product) {
  if (const std::uint8_t verdict = marks_.at(product).verdict; verdict != 0) {
    return verdict != k_removed;
  }
  const std::optional<Removal> removal = removal_of(context_, product);
  if (removal) ++counts_[static_cast<std::size_t>(*removal)];
  marks_.at(product).verdict = removal ? k_removed : k_admitted;
  return !removal;
}

void FilterStage::count_variant(ProductNumber product) {
  std::uint8_t& verdict = marks_.at(product).verdict;
  if (verdict != k_variant) ++counts_[static_cast<std::size_t>(Removal::variant)];
  verdict = k_variant;
}

std::vector<Removed> FilterStage::removed() const {
  std::vector<Removed> removed;
  for (std::size_t i = 0; i < k_removal_count; ++i) {
    if (counts_[i] > 0) removed.push_back({.stage = k_names[i], .count = counts_[i]});
  }
  return removed;
}

}  // namespace vitrine::recommend
