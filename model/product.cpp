#include "model/product.h"

#include <algorithm>

#include "base/status.h"
#include "model/event.h"

namespace vitrine {
namespace {

absl::Status check_text(std::string_view field, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return invalid_argument("{} must be at most {} bytes, got {}", field, bytes_max, text.size());
  }
  if (!is_valid_utf8(text)) return invalid_argument("{} must be valid UTF-8", field);
  return absl::OkStatus();
}

absl::Status check_count(std::string_view field, std::size_t count, std::size_t count_max) {
  if (count <= count_max) return absl::OkStatus();
  return invalid_argument("{} must have at most {} entries, got {}", field, count_max, count);
}

std::size_t depth_of(std::string_view path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '>'));
}

}  // namespace

absl::Status validate(const Product& product, const ProductLimits& limits) {
  if (product.product_id.empty()) return invalid_argument("product_id is required");
  VITRINE_RETURN_IF_ERROR(check_text("product_id", product.product_id, limits.id_bytes_max));
  VITRINE_RETURN_IF_ERROR(check_text("group_id", product.group_id, limits.id_bytes_max));
  VITRINE_RETURN_IF_ERROR(check_text("title", product.title, limits.text_bytes_max));
  VITRINE_RETURN_IF_ERROR(check_text("brand", product.brand, limits.text_bytes_max));
  VITRINE_RETURN_IF_ERROR(check_text("image_url", product.image_url, limits.text_bytes_max));
  VITRINE_RETURN_IF_ERROR(check_text("url", product.url, limits.text_bytes_max));
  VITRINE_RETURN_IF_ERROR(
      check_count("categories", product.categories.size(), limits.categories_max));
  for (const std::string& path : product.categories) {
    VITRINE_RETURN_IF_ERROR(check_text("categories", path, limits.text_bytes_max));
  }
  VITRINE_RETURN_IF_ERROR(check_count("markets", product.markets.size(), limits.markets_max));
  for (const std::string& market : product.markets) {
    VITRINE_RETURN_IF_ERROR(check_text("markets", market, limits.id_bytes_max));
  }
  VITRINE_RETURN_IF_ERROR(
      check_count("attributes", product.attributes.size(), limits.attributes_max));
  for (const auto& [name, value] : product.attributes) {
    VITRINE_RETURN_IF_ERROR(check_text("attributes", name, limits.id_bytes_max));
    VITRINE_RETURN_IF_ERROR(check_text("attributes", value, limits.text_bytes_max));
  }
  if (!product.currency.empty() && !is_currency(product.currency)) {
    return invalid_argument("currency must be three capital letters (ISO 4217), got '{}'",
                            product.currency.substr(0, 16));
  }
  if ((product.price || product.list_price) && product.currency.empty()) {
    return invalid_argument("currency is required with a price");
  }
  if (product.price && product.price->minor < 0)
    return invalid_argument("price must not be negative");
  if (product.list_price && product.list_price->minor < 0)
    return invalid_argument("list_price must not be negative");
  if (product.stock && *product.stock < 0) {
    return invalid_argument("stock must not be negative, got {}", *product.stock);
  }
  return absl::OkStatus();
}

bool is_in_category(std::string_view path, std::string_view ancestor) {
  if (!path.starts_with(ancestor)) return false;
  return path.size() == ancestor.size() || path.substr(ancestor.size()).starts_with(" > ");
}

std::string_view deepest_category(const Product& product) {
  const auto deepest = std::max_element(
      product.categories.begin(), product.categories.end(),
      [](const std::string& a, const std::string& b) { return depth_of(a) < depth_of(b); });
  return deepest == product.categories.end() ? std::string_view() : *deepest;
}

}  // namespace vitrine
