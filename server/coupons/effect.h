// What an offer does to a cart, and the amounts it does it with in one market.
//
// Thread-safe (values).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/money.h"

namespace vitrine::coupons {

enum class Kind : std::uint8_t {
  full_reduction,  // 满减: so much off from a threshold on
  percent,         // 折扣: a share off
  exchange,        // 兑换: a gift, or a product for a small price
  free_shipping,
  bundle,    // a fixed price for a set
  nth_item,  // every nth piece for less
  points     // more points, no money
};
constexpr Kind k_kinds[] = {Kind::full_reduction, Kind::percent, Kind::exchange,
                            Kind::free_shipping,  Kind::bundle,  Kind::nth_item,
                            Kind::points};
std::string_view name_of(Kind kind);

struct SetPart {
  std::string product_id = {};
  std::int64_t quantity = 1;
  friend bool operator==(const SetPart&, const SetPart&) = default;
};

struct Effect {
  static constexpr std::int64_t k_whole = 10'000;  // basis points: 100 %

  Kind kind = Kind::full_reduction;
  // 每满: a full reduction is given for every threshold that is reached; an nth item for every nth.
  bool repeats = false;
  std::int64_t off_basis_points = 0;  // of percent and nth_item: 8折 is 2000
  bool by_line = false;               // a percent taken off each line before orders are looked at
  std::string gift_product_id = {};   // of exchange
  std::int64_t gift_quantity = 1;
  std::vector<SetPart> set = {};           // of bundle
  std::int64_t nth = 2;                    // of nth_item
  std::int64_t multiplier_hundredths = 0;  // of points, for one point a whole unit of money
  std::int64_t bonus_points = 0;           // likewise
  std::int64_t points_days = 0;            // until they are gone; 0: they stay
  std::optional<std::int64_t> max_quantity =
      {};  // pieces that are cheaper at most; sets of a bundle
  friend bool operator==(const Effect&, const Effect&) = default;
};

struct Tier {
  Money threshold = {};
  Money off = {};
  friend bool operator==(const Tier&, const Tier&) = default;
};

// Of one market, in its currency; never converted.
struct Amounts {
  std::string currency = {};
  Money min_subtotal = {};
  std::optional<Money> max_discount = {};
  std::vector<Tier> tiers = {};  // of full_reduction, thresholds ascend
  Money price = {};              // of a bundle's set, or of each gift
  friend bool operator==(const Amounts&, const Amounts&) = default;
};

// The order in which offers are evaluated; those of one stage by priority, then by id.
enum class Stage : std::uint8_t { line, order_percent, order_fixed, shipping, points };
Stage stage_of(const Effect& effect);

// The most that an offer can take off; nothing when there is no such bound.
std::optional<Money> most_off(const Effect& effect, const Amounts& amounts);

}  // namespace vitrine::coupons
