// What a product must be to be shown, boosted or pinned: fields, an expression, or both.
//
// All parts that are set must hold. Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/product.h"
#include "server/recommend/product_expression.h"

namespace vitrine::recommend {

struct ProductCondition {
  static constexpr std::size_t k_values_max = 1000;     // of one list
  static constexpr std::size_t k_attributes_max = 128;  // as many as a product may have

  std::vector<std::string> products = {};    // any of these ids
  std::vector<std::string> categories = {};  // in any of these paths or below
  std::vector<std::string> brands = {};      // any of these, exactly
  std::vector<std::string> not_categories = {};
  std::vector<std::string> not_brands = {};
  std::optional<Money> price_min =
      {};  // inclusive, in `currency`; a product without a price has none
  std::optional<Money> price_max = {};
  std::string currency = {};  // of the two prices; empty: the product's own
  std::map<std::string, std::string> attributes = {};  // each with exactly this value
  ProductExpression expression = {};

  bool is_empty() const { return *this == ProductCondition(); }
  friend bool operator==(const ProductCondition&, const ProductCondition&) = default;
};

// InvalidArgument names the part of `field` ("filter", "rules[2].when"), its value and what is
// allowed.
absl::Status validate(const ProductCondition& condition, std::string_view field);

// Whether `product` is what the condition asks of products alone; the empty condition admits
// everything.
bool holds(const ProductCondition& condition, const Product& product, TimeMs now_ms);

}  // namespace vitrine::recommend
