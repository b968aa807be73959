// Turns rows of product files into the products of the API.
//
// Knows our own names and those of common exports (item_id, category_path, first_seen, is_product).
// What it does not know becomes an attribute. One thread.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "server/app/import/row_reader.h"

namespace vitrine::app {

// Appends the row as a JSON object; `currency` is that of prices whose row names none. Rows with
// is_product 0 (postage, fees) become hidden products. InvalidArgument: a truth value that is none.
absl::Status append_product(const Row& row, std::string_view currency, std::string& json);

}  // namespace vitrine::app
