#include "training/uplift/detectable_effect.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr double k_z_95 = 1.959963985;     // two-sided 5 %
constexpr double k_z_power = 0.841621234;  // found four times of five

// Of the group's mean.
double variance_of_mean(const GroupSums& group) {
  const auto people = static_cast<double>(group.people);
  const double mean = group.sum / people;
  return std::max(0.0, group.squares - people * mean * mean) / ((people - 1) * people);
}

}  // namespace

absl::StatusOr<DetectableEffect> detectable_effect(const CampaignSize& size) {
  if (!(size.holdout_share > 0 && size.holdout_share < 1))
    return invalid_argument("holdout_share must be between 0 and 1, got {}", size.holdout_share);
  if (!(size.conversion > 0 && size.conversion < 1))
    return invalid_argument("conversion must be between 0 and 1, got {}", size.conversion);
  const double holdout = size.people * size.holdout_share;
  const double offered = size.people - holdout;
  if (!(std::min(holdout, offered) >= 1) || !std::isfinite(size.people)) {
    return invalid_argument("people must leave somebody in both groups, got {} at a holdout of {}",
                            size.people, size.holdout_share);
  }
  const double variance = size.conversion * (1 - size.conversion);
  DetectableEffect effect;
  effect.absolute = (k_z_95 + k_z_power) * std::sqrt(variance * (1 / offered + 1 / holdout));
  effect.relative = effect.absolute / size.conversion;
  return effect;
}

void GroupSums::add(double outcome) {
  ++people;
  if (outcome != 0) ++conversions;
  sum += outcome;
  squares += outcome * outcome;
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::cannot_tell:
      return "cannot_tell";
  }
  return "";
}

CampaignEffect effect_of(const GroupSums& offered, const GroupSums& holdout) {
  CampaignEffect effect;
  const std::uint64_t smaller = std::min(offered.people, holdout.people);
  if (smaller < CampaignEffect::k_people_min) {
    effect.why =
        fmt::format("a group has {} people, {} are needed", smaller, CampaignEffect::k_people_min);
    return effect;
  }
  const auto people = static_cast<double>(offered.people);
  effect.per_person = offered.sum / people - holdout.sum / static_cast<double>(holdout.people);
  const double reach = k_z_95 * std::sqrt(variance_of_mean(offered) + variance_of_mean(holdout));
  effect.low = effect.per_person - reach;
  effect.high = effect.per_person + reach;
  effect.total = people * effect.per_person;
  effect.total_low = people * effect.low;
  effect.total_high = people * effect.high;
  const std::uint64_t conversions = offered.conversions + holdout.conversions;
  if (conversions < CampaignEffect::k_conversions_min) {
    effect.why = fmt::format("{} conversions, {} are needed", conversions,
                             CampaignEffect::k_conversions_min);
  } else if (effect.low > 0) {
    effect.verdict = Verdict::better;
    effect.why = "the whole interval lies above 0";
  } else if (effect.high < 0) {
    effect.verdict = Verdict::worse;
    effect.why = "the whole interval lies below 0";
  } else {
    effect.why = "the interval holds 0";
  }
  return effect;
}

std::uint64_t conversions_missing(const GroupSums& offered, const GroupSums& holdout) {
  const std::uint64_t fewest = std::min(offered.conversions, holdout.conversions);
  return fewest >= k_uplift_conversions_min ? 0 : k_uplift_conversions_min - fewest;
}

}  // namespace vitrine::training
