// Why a coupon is not given or not taken: a value, for the shop and for whoever wants to buy.
//
// Thread-safe (values).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/money.h"

namespace vitrine::coupons {

enum class Reason : std::uint8_t {
  expired,
  not_started,
  paused,
  min_spend,
  min_quantity,
  wrong_products,
  not_yours,
  used,  // by this or another order, which may hold it still
  segment,
  first_order_only,
  user_limit,
  budget,
  stock,
  not_stackable,
  market,
  channel,
  revoked,
  unknown_code
};
constexpr std::size_t k_reasons = static_cast<std::size_t>(Reason::unknown_code) + 1;
std::string_view name_of(Reason reason);     // "MIN_SPEND"
std::string_view meaning_of(Reason reason);  // a sentence for people

struct Denial {
  Reason reason = Reason::unknown_code;
  Money missing = {};       // of min_spend
  Money unlocks = {};       // of min_spend: what would be taken off then, where it is known
  std::int64_t pieces = 0;  // of min_quantity: how many more
  std::vector<std::string> with = {};  // of not_stackable: the offers that are in the way
};

struct Denied {
  std::string code = {};   // as it was given; empty for offers without one
  std::string offer = {};  // empty for an unknown code
  Denial denial = {};
};

}  // namespace vitrine::coupons
