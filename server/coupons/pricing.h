// The price of a cart under offers: integer money, a fixed order of evaluation, exact sums by line.
//
// Offers work in stages: lines (percent by line, exchange, bundle, nth item), percent off the
// order, fixed amounts off the order, shipping, points. Thresholds of the line stage are measured
// on the shop's prices, those of later stages on what the line stage left: one order offer never
// takes another below its threshold. Amounts are taken off what all earlier offers left, so no
// line is ever below zero. The order of the lines does not matter. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/cart.h"
#include "server/coupons/effect.h"

namespace vitrine::coupons {

// An offer as it meets one cart. What it points to outlives it.
struct Applied {
  std::string_view id = {};  // orders offers of equal priority
  std::int64_t priority = 0;
  const Effect* effect = nullptr;
  const Amounts* amounts = nullptr;
  std::vector<bool> covers = {};  // by line: its products
  std::int64_t min_quantity = 0;
  std::optional<Money> left = {};  // no more may be taken off, whatever the offer says
  Money gift_worth = {};           // of one gift: for comparing offers only
};

// Why an offer does nothing for a cart, and how far away it is.
struct Gap {
  enum class Reason : std::uint8_t { products, spend, quantity } reason = Reason::products;
  Money missing = {};       // of spend
  std::int64_t pieces = 0;  // of quantity
  Money unlocks = {};       // of spend: what would be taken off then, where that is known
  friend bool operator==(const Gap&, const Gap&) = default;
};

struct Gift {
  std::string product_id = {};
  std::int64_t quantity = 0;  // to be added to the cart
  Money price = {};           // of each
  friend bool operator==(const Gift&, const Gift&) = default;
};

// What one offer takes off.
struct Cut {
  std::vector<Money> by_line = {};
  Money shipping = {};
  std::int64_t points = 0;
  // Gifts given, in the cart or to be added; sets of a bundle; pieces that cost less each.
  std::int64_t pieces = 0;
  std::optional<Gift> gift = {};
  std::optional<Gap> gap = {};       // then all else is zero
  std::optional<Gap> next_gap = {};  // of a full reduction: to its next step

  Money total() const;
};

struct Priced {
  std::vector<Cut> cuts = {};       // in the order of the offers given
  std::vector<Money> by_line = {};  // taken off each line
  Money discount = {};              // all of it, shipping too
  Money shipping_discount = {};
  Money payable = {};  // lines, shipping and gifts to be added
  std::int64_t points = 0;
};

// Precondition: the cart is within the limits of CartLine, `covers` has a place for each line.
Priced price(const Cart& cart, std::span<const Applied> offers);

}  // namespace vitrine::coupons
