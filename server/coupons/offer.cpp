#include "server/coupons/offer.h"

#include <algorithm>

#include "base/status.h"

namespace vitrine::coupons {
namespace {

absl::Status validate_tiers(std::string_view market, const Amounts& amounts, const Offer& offer) {
  if (offer.effect.kind != Kind::full_reduction) {
    if (amounts.tiers.empty()) return absl::OkStatus();
    return invalid_argument("amounts.{}.tiers are of a full_reduction, the kind is {}", market,
                            name_of(offer.effect.kind));
  }
  if (amounts.tiers.empty()) {
    return invalid_argument("amounts.{}.tiers must have at least one tier", market);
  }
  if (offer.effect.repeats && amounts.tiers.size() != 1) {
    return invalid_argument("amounts.{}.tiers must be one where the reduction repeats, got {}",
                            market, amounts.tiers.size());
  }
  for (std::size_t i = 0; i < amounts.tiers.size(); ++i) {
    const Tier& tier = amounts.tiers[i];
    if (tier.off.minor <= 0 || tier.off > tier.threshold) {
      return invalid_argument("amounts.{}.tiers[{}].off must be above 0 and at most the threshold",
                              market, i);
    }
    if (i > 0 && (tier.threshold <= amounts.tiers[i - 1].threshold ||
                  tier.off <= amounts.tiers[i - 1].off)) {
      return invalid_argument(
          "amounts.{}.tiers[{}] must have a larger threshold and a larger off than the tier before",
          market, i);
    }
  }
  return absl::OkStatus();
}

absl::Status validate_effect(const Offer& offer) {
  const Effect& effect = offer.effect;
  const bool takes_share = effect.kind == Kind::percent || effect.kind == Kind::nth_item;
  if (takes_share && effect.off_basis_points == 0) {
    return invalid_argument("effect.percent_off must be above 0 and at most 100");
  }
  if (effect.kind == Kind::exchange && effect.gift_product_id.empty()) {
    return invalid_argument("effect.product_id must name the gift");
  }
  if (effect.kind == Kind::bundle && effect.set.empty()) {
    return invalid_argument("effect.set must name at least one product");
  }
  if (effect.kind == Kind::points && effect.multiplier_hundredths == 0 &&
      effect.bonus_points == 0) {
    return invalid_argument("effect.multiplier or effect.bonus must be above 0");
  }
  return absl::OkStatus();
}

// What is promised must have a bound, and be counted where a grant can hold it.
absl::Status validate_promise(const Offer& offer) {
  if (!offer.is_honoured) return absl::OkStatus();
  if (offer.trigger != Trigger::granted && offer.trigger != Trigger::claimed) {
    return invalid_argument("guarantee can be honoured for granted and claimed offers only, got {}",
                            name_of(offer.trigger));
  }
  if (offer.uses_per_grant != 1) {
    return invalid_argument("uses_per_grant must be 1 for an honoured offer, got {}",
                            offer.uses_per_grant);
  }
  for (const auto& [market, amounts] : offer.amounts) {
    if (most_off(offer.effect, amounts)) continue;
    return invalid_argument(
        "amounts.{}.max_discount is needed: an honoured offer holds the most it "
        "can cost",
        market);
  }
  if (offer.amounts.size() > 1) {
    return invalid_argument("amounts must name one market for an honoured offer, got {}",
                            offer.amounts.size());
  }
  for (std::size_t i = 0; i < offer.limits.size(); ++i) {
    const Limit& limit = offer.limits[i];
    if (limit.scope == Scope::global && limit.period == Period::lifetime) continue;
    if (limit.measure == Measure::issued) continue;
    return invalid_argument(
        "limits[{}] must be global and of the lifetime: an honoured offer is "
        "not refused at the checkout",
        i);
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view name_of(Trigger trigger) {
  switch (trigger) {
    case Trigger::code:
      return "code";
    case Trigger::automatic:
      return "automatic";
    case Trigger::granted:
      return "granted";
    case Trigger::claimed:
      return "claimed";
  }
  return "";
}

std::string_view name_of(ReturnPolicy policy) {
  switch (policy) {
    case ReturnPolicy::recalculate:
      return "recalculate";
    case ReturnPolicy::proportional:
      return "proportional";
    case ReturnPolicy::keep:
      return "keep";
  }
  return "";
}

const Amounts* Offer::amounts_in(std::string_view market, std::string_view currency) const {
  auto found = amounts.find(market);
  if (found == amounts.end()) found = amounts.find(k_any_market);
  if (found == amounts.end() || found->second.currency != currency) return nullptr;
  return &found->second;
}

absl::Status validate(const Offer& offer) {
  VITRINE_RETURN_IF_ERROR(validate_effect(offer));
  if (offer.amounts.empty()) {
    return invalid_argument("amounts must name at least one market; '*' is every other one");
  }
  for (const auto& [market, amounts] : offer.amounts) {
    if (!is_currency(amounts.currency)) {
      return invalid_argument("amounts.{}.currency must be three capital letters as EUR, got '{}'",
                              market, amounts.currency);
    }
    VITRINE_RETURN_IF_ERROR(validate_tiers(market, amounts, offer));
  }
  if (!offer.code.empty() && offer.trigger != Trigger::code) {
    return invalid_argument("code is for offers with the trigger code, got {}",
                            name_of(offer.trigger));
  }
  if (offer.start_ms && offer.end_ms && *offer.end_ms <= *offer.start_ms) {
    return invalid_argument("end must be after start");
  }
  VITRINE_RETURN_IF_ERROR(validate(offer.limits, "limits"));
  return validate_promise(offer);
}

}  // namespace vitrine::coupons
