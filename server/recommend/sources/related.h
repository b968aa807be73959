// The products that go with one product, whatever is known about it.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// Appends the model's similar products; for a product the model has only a vector of, the nearest;
// for one it does not know, the popular ones of its category, else of the category above. Products
// marked `seen`, and `anchor` itself, are not among them. Empty when nothing relates.
absl::Status related_products(const Context& context, ProductNumber anchor,
                              std::vector<ProductNumber>& out);

}  // namespace vitrine::recommend
