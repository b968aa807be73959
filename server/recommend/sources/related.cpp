#include "server/recommend/sources/related.h"

#include <algorithm>
#include <string_view>

#include "base/status.h"
#include "server/recommend/sources/taste.h"

namespace vitrine::recommend {
namespace {

void append_similar(const Context& context, std::uint32_t row, std::vector<ProductNumber>& out) {
  for (const RelatedProduct& related : context.live->model()->similar().of(row)) {
    const ProductNumber product = context.live->number_of(related.row);
    if (!context.marks.has(product, Mark::seen)) out.push_back(product);
  }
}

// "Home > Kitchen > Cakes" -> "Home > Kitchen" -> "Home" -> "".
std::string_view parent_of(std::string_view category) {
  const std::size_t end = category.rfind(" > ");
  return end == std::string_view::npos ? std::string_view() : category.substr(0, end);
}

}  // namespace

std::optional<ProductNumber> product_of_page(const Context& context) {
  if (context.product) return context.product;
  if (!context.cart.empty()) return context.cart.back();
  return std::nullopt;
}

bool is_in(const Product& product, std::string_view category) {
  return std::ranges::any_of(
      product.categories, [&](const std::string& path) { return is_in_category(path, category); });
}

void append_popular_of_category(const Context& context, ProductNumber anchor,
                                std::vector<ProductNumber>& out) {
  const Product* const known = context.catalog->find(anchor);
  if (known == nullptr || known->categories.empty()) return;
  const auto popular = context.popularity.popular();
  const std::size_t before = out.size();
  for (std::string_view category = known->categories.front();
       !category.empty() && out.size() == before; category = parent_of(category)) {
    for (const profiles::PopularProduct& entry : *popular) {
      if (out.size() - before == context.pool) break;
      const Product* const product = context.catalog->find(entry.product);
      if (product == nullptr || entry.product == anchor || !is_in(*product, category)) continue;
      if (!context.marks.has(entry.product, Mark::seen)) out.push_back(entry.product);
    }
  }
}

bool needs_search(const Context& context, ProductNumber anchor) {
  const std::optional<std::uint32_t> row = context.live->row_of(anchor);
  return row && *row >= context.live->model_row_count();
}

absl::Status related_products(const Context& context, ProductNumber anchor,
                              std::vector<ProductNumber>& out) {
  const std::size_t before = out.size();
  if (const std::optional<std::uint32_t> row = context.live->row_of(anchor)) {
    if (*row < context.live->model_row_count()) {
      append_similar(context, *row, out);
    } else {
      VITRINE_RETURN_IF_ERROR(nearest_to(context, context.live->vector(*row), out));
      std::erase(out, anchor);
    }
  }
  if (out.size() == before) append_popular_of_category(context, anchor, out);
  return absl::OkStatus();
}

}  // namespace vitrine::recommend
