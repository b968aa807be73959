// What somebody is about to buy, as the shop prices it before any offer.
//
// Thread-safe (values).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/money.h"

namespace vitrine::coupons {

struct CartLine {
  static constexpr std::int64_t k_quantity_max = 100'000;
  static constexpr std::int64_t k_amount_max = 1'000'000'000'000;  // minor units, of all pieces

  std::string line_id = {};  // each once in a cart
  std::string product_id = {};
  Money unit_price = {};
  std::int64_t quantity = 1;

  Money amount() const { return {unit_price.minor * quantity}; }
};

struct Cart {
  static constexpr std::size_t k_lines_max = 500;

  std::vector<CartLine> lines = {};
  Money shipping = {};
  std::string currency = {};
  std::string market = {};   // empty: none was told
  std::string channel = {};  // likewise

  Money subtotal() const {
    Money sum;
    for (const CartLine& line : lines) sum.minor += line.amount().minor;
    return sum;
  }
};

}  // namespace vitrine::coupons
