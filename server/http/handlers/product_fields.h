// Which facts of a product an answer carries beside its id.
//
// Values; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/product.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

enum class ProductField : std::uint8_t {
  title,
  categories,
  brand,
  price,  // with its currency
  list_price,
  in_stock,
  stock,
  group_id,
  image_url,
  url,
  attributes
};

class ProductFields {
 public:
  // What a storefront needs to draw a tile.
  static ProductFields usual();
  // InvalidArgument names an unknown field and those there are.
  template <class Texts>
  static absl::StatusOr<ProductFields> of(const Texts& names) {
    ProductFields fields;
    for (const std::string_view name : names) {
      if (absl::Status status = fields.add(name); !status.ok()) return status;
    }
    return fields;
  }

  // Inside the product's object; absent facts are left out.
  void append(JsonWriter& json, const Product& product) const;

 private:
  absl::Status add(std::string_view name);
  bool has(ProductField field) const { return ((bits_ >> static_cast<unsigned>(field)) & 1U) != 0; }
  unsigned bits_ = 0;
};

}  // namespace vitrine::http
