#include "server/http/handlers/product_fields.h"

#include <fmt/format.h>

#include <array>

#include "model/money.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

constexpr std::array<std::string_view, 11> k_names = {
    "title", "categories", "brand",     "price", "list_price", "in_stock",
    "stock", "group_id",   "image_url", "url",   "attributes"};

void append_price(JsonWriter& json, std::string_view name, const std::optional<Money>& price,
                  std::string_view currency) {
  if (price) json.field(name, format_money(*price, currency));
}

void append_text(JsonWriter& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.field(name, text);
}

}  // namespace

ProductFields ProductFields::usual() {
  ProductFields fields;
  for (const ProductField field :
       {ProductField::title, ProductField::price, ProductField::image_url, ProductField::url}) {
    fields.bits_ |= 1U << static_cast<unsigned>(field);
  }
  return fields;
}

absl::Status ProductFields::add(std::string_view name) {
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (k_names[i] != name) continue;
    bits_ |= 1U << i;
    return absl::OkStatus();
  }
  return field_error(
      "fields", fmt::format("fields must be among {}, got '{}'", fmt::join(k_names, ", "), name));
}

void ProductFields::append(JsonWriter& json, const Product& product) const {
  if (has(ProductField::title)) append_text(json, "title", product.title);
  if (has(ProductField::categories)) {
    json.key("categories").begin_array();
    for (const std::string& path : product.categories) json.value(path);
    json.end_array();
  }
  if (has(ProductField::brand)) append_text(json, "brand", product.brand);
  if (has(ProductField::price)) append_price(json, "price", product.price, product.currency);
  if (has(ProductField::list_price)) {
    append_price(json, "list_price", product.list_price, product.currency);
  }
  if (has(ProductField::price) || has(ProductField::list_price)) {
    append_text(json, "currency", product.currency);
  }
  if (has(ProductField::in_stock)) json.field("in_stock", product.in_stock);
  if (has(ProductField::stock) && product.stock) json.field("stock", *product.stock);
  if (has(ProductField::group_id)) append_text(json, "group_id", product.group_id);
  if (has(ProductField::image_url)) append_text(json, "image_url", product.image_url);
  if (has(ProductField::url)) append_text(json, "url", product.url);
  if (has(ProductField::attributes)) {
    json.key("attributes").begin_object();
    for (const auto& [name, value] : product.attributes) json.field(name, value);
    json.end_object();
  }
}

}  // namespace vitrine::http
