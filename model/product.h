// What a shop sells, as the catalog keeps it.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/money.h"

namespace vitrine {

struct Product {
  std::string product_id;
  std::string title;
  std::vector<std::string> categories;  // paths, general to special: "Home > Kitchen"
  std::string brand;
  std::optional<Money> price;
  std::optional<Money> list_price;  // before a reduction
  std::string currency;
  bool in_stock = true;
  std::optional<std::int64_t> stock;
  std::vector<std::string> markets;  // empty: everywhere
  std::optional<TimeMs> available_from_ms;
  std::optional<TimeMs> available_until_ms;
  bool hidden = false;
  std::string group_id;  // variants of one product share it
  std::string image_url;
  std::string url;
  std::map<std::string, std::string> attributes;
  TimeMs created_at_ms = 0;
  std::uint64_t version = 0;  // counts the product's changes, from 1

  // Whether it is showable at any time.
  bool is_always_showable() const {
    return !hidden && in_stock && !available_from_ms && !available_until_ms;
  }
  // Whether it may be shown at `now_ms`: not hidden, in stock, inside its availability window.
  bool is_showable(TimeMs now_ms) const {
    return !hidden && in_stock && (!available_from_ms || now_ms >= *available_from_ms) &&
           (!available_until_ms || now_ms < *available_until_ms);
  }
};

// The limits a product is held to.
struct ProductLimits {
  std::size_t id_bytes_max = 256;
  std::size_t text_bytes_max = 4096;  // title, URLs, one category path, one attribute
  std::size_t categories_max = 32;
  std::size_t attributes_max = 128;
  std::size_t markets_max = 300;
};

// InvalidArgument names the field, the value and what is allowed.
absl::Status validate(const Product& product, const ProductLimits& limits);

// "Home > Kitchen > Cakes" is in "Home > Kitchen" and in "Home", not in "Hom".
bool is_in_category(std::string_view path, std::string_view ancestor);

// Empty for a product without a category; the first of equally deep ones.
std::string_view deepest_category(const Product& product);

}  // namespace vitrine
