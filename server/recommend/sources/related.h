// The products that go with one product, whatever is known about it.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// The product looked at, else the last one of the cart; nothing when the page is about none.
std::optional<ProductNumber> product_of_page(const Context& context);

// Whether one of the product's categories is `category` or lies below it.
bool is_in(const Product& product, std::string_view category);

// Appends the popular products of the category of `anchor`, else of the nearest one above it that
// has any; neither `anchor` itself nor those marked `seen`.
void append_popular_of_category(const Context& context, ProductNumber anchor,
                                std::vector<ProductNumber>& out);

// Whether related_products() has to search: the model has a vector of `anchor` and no list.
bool needs_search(const Context& context, ProductNumber anchor);

// Appends the model's similar products; for a product the model has only a vector of, the nearest;
// for one it does not know, the popular ones of its category, else of the category above. Products
// marked `seen`, and `anchor` itself, are not among them. Empty when nothing relates.
absl::Status related_products(const Context& context, ProductNumber anchor,
                              std::vector<ProductNumber>& out);

}  // namespace vitrine::recommend
