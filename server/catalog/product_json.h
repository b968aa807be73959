// Products as the API and import files spell them.
#pragma once

#include <absl/status/statusor.h>
#include <boost/json/fwd.hpp>

#include <string>

#include "model/product.h"

namespace vitrine::catalog {

// A whole product. InvalidArgument names the field: unknown fields, wrong types, prices without
// currency.
absl::StatusOr<Product> product_from_json(const boost::json::object& object);
// Changes what is named, leaves the rest; null empties a field.
absl::Status patch_from_json(const boost::json::object& object, Product& product);
void append_json(const Product& product, std::string& out);

}  // namespace vitrine::catalog
