// The descriptions of products that training learns from: of a store, or of a file.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <vector>

#include "model/product.h"
#include "server/store/database.h"

namespace vitrine::app {

// The whole catalog, in the order of its numbers.
absl::StatusOr<std::vector<Product>> catalog_products(const store::Database& database,
                                                      const ProductLimits& limits);

// A file as `vitrine import --products` takes it, in its order; of several rows with one id the
// last is good. InvalidArgument: a line that is no product, with its number.
absl::StatusOr<std::vector<Product>> read_products(const std::filesystem::path& file,
                                                   const ProductLimits& limits);

}  // namespace vitrine::app
