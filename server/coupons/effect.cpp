#include "server/coupons/effect.h"

namespace vitrine::coupons {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::full_reduction:
      return "full_reduction";
    case Kind::percent:
      return "percent";
    case Kind::exchange:
      return "exchange";
    case Kind::free_shipping:
      return "free_shipping";
    case Kind::bundle:
      return "bundle";
    case Kind::nth_item:
      return "nth_item";
    case Kind::points:
      return "points";
  }
  return "";
}

Stage stage_of(const Effect& effect) {
  switch (effect.kind) {
    case Kind::percent:
      return effect.by_line ? Stage::line : Stage::order_percent;
    case Kind::exchange:
    case Kind::bundle:
    case Kind::nth_item:
      return Stage::line;
    case Kind::full_reduction:
      return Stage::order_fixed;
    case Kind::free_shipping:
      return Stage::shipping;
    case Kind::points:
      return Stage::points;
  }
  return Stage::points;
}

std::optional<Money> most_off(const Effect& effect, const Amounts& amounts) {
  if (effect.kind == Kind::points) return Money{0};
  if (amounts.max_discount) return amounts.max_discount;
  if (effect.kind != Kind::full_reduction || effect.repeats || amounts.tiers.empty()) {
    return std::nullopt;
  }
  return amounts.tiers.back().off;
}

}  // namespace vitrine::coupons
