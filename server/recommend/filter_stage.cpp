#include "server/recommend/filter_stage.h"

#include <algorithm>

#include "server/recommend/repurchase.h"
#include "server/recommend/visit.h"

namespace vitrine::recommend {
namespace {

constexpr std::array<std::string_view, k_removal_count> k_names = {
    "not_in_catalog", "hidden",       "out_of_stock", "unavailable",     "market",    "category",
    "filter",         "excluded",     "in_cart",      "current_product", "purchased", "on_page",
    "variant",        "category_cap", "brand_cap",    "repeat_cap"};

constexpr std::uint8_t k_admitted = 1;
constexpr std::uint8_t k_removed = 2;
constexpr std::uint8_t k_yielded = 3;  // admitted, but gave way to another

std::optional<Removal> removal_by_catalog(const Context& context, const Product& product) {
  if (product.hidden) return Removal::hidden;
  if (!product.in_stock) return Removal::out_of_stock;
  if (!product.is_showable(context.now_ms)) return Removal::unavailable;
  const std::string& market = context.request.market;
  if (!market.empty() && !is_of_market(product, market)) return Removal::market;
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

bool passes_filters(const Context& context, ProductNumber number, const Product* product) {
  if (!context.has_filter) return true;
  if (context.assortment == nullptr || !context.assortment->contains(number)) {
    const bool holds_alone = product != nullptr &&
                             holds(context.request.filter, *product, context.now_ms) &&
                             holds(context.placement.filter, *product, context.now_ms);
    if (!holds_alone) return false;
  }
  return context.visit == nullptr || product == nullptr || is_allowed_by_visit(context, *product);
}

// Whether an answer to this request depends on more of a product than that it may be shown.
bool asks_about_products(const Context& context) {
  const RecommendRequest& request = context.request;
  const Product* const current = context.placement.exclude_product_group && context.product
                                     ? context.catalog->find(*context.product)
                                     : nullptr;
  const bool has_group = current != nullptr && !current->group_id.empty();
  return !request.category.empty() || !request.market.empty() || context.has_filter || has_group ||
         !context.page_groups.empty() || context.catalog->size() == 0;
}

// Why the request and the person keep a product out, whatever the product is.
std::optional<Removal> removal_by_marks(const Context& context, ProductNumber product) {
  if (context.marks.has(product, Mark::excluded)) return Removal::excluded;
  if (context.marks.has(product, Mark::in_cart)) return Removal::in_cart;
  if (context.marks.has(product, Mark::current)) return Removal::current_product;
  if (is_bought_lately(context, product)) return Removal::purchased;
  if (context.marks.has(product, Mark::on_page)) return Removal::on_page;
  return std::nullopt;
}

// The one thing that keeps a product out of the assortment; nothing when there are several.
std::optional<Removal> only_limit_of(const Context& context) {
  if (context.assortment == nullptr) return std::nullopt;
  const bool has_category = !context.request.category.empty();
  const bool has_market = !context.request.market.empty();
  const bool has_filter = context.has_filter;
  if (has_category && !has_market && !has_filter) return Removal::category;
  if (!has_category && has_market && !has_filter) return Removal::market;
  if (!has_category && !has_market && has_filter) return Removal::filter;
  return std::nullopt;
}

bool is_variant_of_current(const Context& context, const Product* product) {
  if (!context.placement.exclude_product_group || !context.product) return false;
  const Product* const current = context.catalog->find(*context.product);
  return product != nullptr && current != nullptr && !current->group_id.empty() &&
         product->group_id == current->group_id;
}

bool is_on_page(const Context& context, ProductNumber product, const Product* known) {
  if (context.marks.has(product, Mark::on_page)) return true;
  return known != nullptr && !known->group_id.empty() && !context.page_groups.empty() &&
         std::ranges::find(context.page_groups, known->group_id) != context.page_groups.end();
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
  if (!passes_filters(context, product, known)) return Removal::filter;
  if (context.marks.has(product, Mark::excluded)) return Removal::excluded;
  if (context.marks.has(product, Mark::in_cart)) return Removal::in_cart;
  if (context.marks.has(product, Mark::current) || is_variant_of_current(context, known)) {
    return Removal::current_product;
  }
  if (is_bought_lately(context, product)) return Removal::purchased;
  if (is_on_page(context, product, known)) return Removal::on_page;
  return std::nullopt;
}

FilterStage::FilterStage(const Context& context, ProductMarks& marks)
    : context_(context),
      marks_(marks),
      outside_(only_limit_of(context)),
      reads_products_(asks_about_products(context)) {}

// One bit tells of most products of a narrow request.
std::optional<Removal> FilterStage::verdict_of(ProductNumber product) const {
  if (outside_ && !context_.assortment->contains(product)) return outside_;
  if (!reads_products_ && context_.catalog->is_always_showable(product)) {
    return removal_by_marks(context_, product);
  }
  return removal_of(context_, product);
}

void FilterStage::expect(std::span<const ProductNumber> products) const {
  if (outside_ || !reads_products_) return;  // one bit tells of most
  for (const ProductNumber product : products) {
    const Product* const known = context_.catalog->find(product);
    if (known == nullptr) continue;
    __builtin_prefetch(&known->in_stock);
    __builtin_prefetch(&known->available_until_ms);
    __builtin_prefetch(&known->group_id);
  }
}

bool FilterStage::admits(ProductNumber product) {
  if (const std::uint8_t verdict = marks_.at(product).verdict; verdict != 0) {
    return verdict != k_removed;
  }
  const std::optional<Removal> removal = verdict_of(product);
  if (removal) ++counts_[static_cast<std::size_t>(*removal)];
  marks_.at(product).verdict = removal ? k_removed : k_admitted;
  return !removal;
}

std::optional<ProductNumber> FilterStage::shown_for(ProductNumber product) {
  return admits(product) ? product : variant_for(product);
}

std::optional<ProductNumber> FilterStage::variant_for(ProductNumber product) {
  const std::vector<ProductNumber> variants = context_.catalog->variants_of(product);
  if (variants.empty() || removal_by_marks(context_, product)) return std::nullopt;
  // Of what the page is about, or shows already, no variant is wanted either.
  const std::optional<Removal> removal = removal_of(context_, product);
  if (removal == Removal::current_product || removal == Removal::on_page) return std::nullopt;
  std::optional<ProductNumber> best;
  float most = 0;
  for (const ProductNumber variant : variants) {
    if (!admits(variant)) continue;
    const float weight = context_.popularity_of(variant);
    if (best && weight <= most) continue;
    best = variant;
    most = weight;
  }
  return best;
}

void FilterStage::count_yielded(ProductNumber product, Removal why) {
  std::uint8_t& verdict = marks_.at(product).verdict;
  if (verdict != k_yielded) ++counts_[static_cast<std::size_t>(why)];
  verdict = k_yielded;
}

std::vector<Removed> FilterStage::removed() const {
  std::vector<Removed> removed;
  for (std::size_t i = 0; i < k_removal_count; ++i) {
    if (counts_[i] > 0) removed.push_back({.stage = k_names[i], .count = counts_[i]});
  }
  return removed;
}

}  // namespace vitrine::recommend
