#include "server/coupons/coupon_worth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitrine::coupons {
namespace {

constexpr double k_point_worth = 0.01;  // units of money

double units(Money amount, const std::string& currency) {
  return static_cast<double>(amount.minor) / std::pow(10.0, currency_digits(currency));
}

double share(std::int64_t basis_points) {
  return static_cast<double>(basis_points) / static_cast<double>(Effect::k_whole);
}

std::string percent(std::int64_t basis_points) {
  return fmt::format("{:g}", static_cast<double>(basis_points) / 100);
}

// What the effect alone takes off, of so much that is bought.
double cost_of(const Offer& offer, const Amounts& amounts, const CoveredPrices& prices,
               double& spend) {
  const Effect& effect = offer.effect;
  const auto in_units = [&](Money amount) { return units(amount, amounts.currency); };
  switch (effect.kind) {
    case Kind::full_reduction:
      if (amounts.tiers.empty()) return 0;
      spend = std::max(spend, in_units(amounts.tiers.front().threshold));
      return in_units(amounts.tiers.front().off);
    case Kind::percent:
      return spend * share(effect.off_basis_points);
    case Kind::exchange:
      return std::max(0.0, prices.gift - in_units(amounts.price)) *
             static_cast<double>(effect.gift_quantity);
    case Kind::free_shipping:
      return amounts.max_discount ? in_units(*amounts.max_discount) : 0;
    case Kind::bundle:
      spend = std::max(spend, prices.set_price);
      return std::max(0.0, prices.set_price - in_units(amounts.price));
    case Kind::nth_item:
      spend = std::max(spend, prices.usual * static_cast<double>(effect.nth));
      return prices.usual * share(effect.off_basis_points);
    case Kind::points:
      return k_point_worth * (static_cast<double>(effect.bonus_points) +
                              spend * static_cast<double>(effect.multiplier_hundredths) / 100);
  }
  return 0;
}

}  // namespace

CouponWorth worth_of(const Offer& offer, const Amounts& amounts, const CoveredPrices& prices) {
  const auto pieces = static_cast<double>(std::max<std::int64_t>(1, offer.conditions.min_quantity));
  double spend = std::max(prices.usual * pieces, units(amounts.min_subtotal, amounts.currency));
  double cost = cost_of(offer, amounts, prices, spend);
  if (amounts.max_discount) cost = std::min(cost, units(*amounts.max_discount, amounts.currency));
  return {.spend = spend, .cost = cost};
}

std::string sentence_of(const Offer& offer, const Amounts& amounts) {
  const Effect& effect = offer.effect;
  const auto money = [&](Money amount) {
    return format_money(amount, amounts.currency) + " " + amounts.currency;
  };
  const std::string from =
      amounts.min_subtotal.minor > 0 ? " from " + money(amounts.min_subtotal) : "";
  switch (effect.kind) {
    case Kind::full_reduction: {
      if (amounts.tiers.empty()) return "";
      const Tier& tier = amounts.tiers.front();
      return fmt::format("{} off {} {}", money(tier.off), effect.repeats ? "every" : "from",
                         money(tier.threshold));
    }
    case Kind::percent:
      return fmt::format("{} % off{}", percent(effect.off_basis_points), from);
    case Kind::exchange:
      return amounts.price.minor == 0
                 ? fmt::format("a gift{}", from)
                 : fmt::format("{} for {}{}", effect.gift_product_id, money(amounts.price), from);
    case Kind::free_shipping:
      return "free shipping" + from;
    case Kind::bundle:
      return fmt::format("a set for {}", money(amounts.price));
    case Kind::nth_item:
      return fmt::format("{} % off one of every {} pieces", percent(effect.off_basis_points),
                         effect.nth);
    case Kind::points:
      return "points" + from;
  }
  return "";
}

}  // namespace vitrine::coupons
