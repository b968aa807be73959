#include "server/app/catalog_products.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/string_map.h"
#include "server/app/import/product_rows.h"
#include "server/app/import/row_reader.h"
#include "server/catalog/catalog.h"
#include "server/catalog/product_json.h"
#include "server/catalog/product_numbers.h"

namespace vitrine::app {
namespace {

absl::StatusOr<Product> product_of(const Row& row, const ProductLimits& limits) {
  if (!row.refusal.empty()) return invalid_argument("{}", row.refusal);
  std::string json;
  VITRINE_RETURN_IF_ERROR(append_product(row, {}, json));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_object()) return invalid_argument("the line is no product: {}", json);
  VITRINE_ASSIGN_OR_RETURN(Product product, catalog::product_from_json(value.get_object()));
  VITRINE_RETURN_IF_ERROR(validate(product, limits));
  return product;
}

}  // namespace

absl::StatusOr<std::vector<Product>> catalog_products(const store::Database& database,
                                                      const ProductLimits& limits) {
  catalog::ProductNumbers numbers;
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<catalog::Catalog> catalog,
                           catalog::Catalog::open(database, numbers, limits));
  std::vector<Product> products;
  catalog->current()->for_each(
      [&](ProductNumber, const Product& product) { products.push_back(product); });
  return products;
}

absl::StatusOr<std::vector<Product>> read_products(const std::filesystem::path& file,
                                                   const ProductLimits& limits) {
  VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file));
  std::vector<Product> products;
  StringMap<std::size_t> places;
  Row row;
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
    if (!found) return products;
    absl::StatusOr<Product> product = product_of(row, limits);
    if (!product.ok()) {
      return invalid_argument("{}:{}: {}", file.string(), row.line, message_of(product.status()));
    }
    const auto [place, is_new] = places.emplace(product->product_id, products.size());
    if (is_new) products.emplace_back();
    products[place->second] = *std::move(product);
  }
}

}  // namespace vitrine::app
