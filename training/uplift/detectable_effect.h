// What a campaign could show before it starts, and what it showed when it is over.
//
// Both compare the people offered with the holdout by assignment, whatever became of either.
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::training {

struct CampaignSize {
  double people = 0;         // offered and holdout together
  double holdout_share = 0;  // in (0, 1)
  double conversion = 0;     // expected without a coupon, in (0, 1)
};

struct DetectableEffect {
  double absolute = 0;  // of the conversion
  double relative = 0;  // absolute / conversion
};

// The least effect that a two-sided test at 5 % finds four times of five:
// (1.96 + 0.84) sqrt(p (1 - p) (1/offered + 1/holdout)).
// InvalidArgument: a number outside its range, or fewer than one person in a group.
absl::StatusOr<DetectableEffect> detectable_effect(const CampaignSize& size);

// What one group did: one number a person (1 for a conversion, or money).
struct GroupSums {
  std::uint64_t people = 0;
  std::uint64_t conversions = 0;  // people whose number is not 0
  double sum = 0;
  double squares = 0;

  void add(double outcome);
};

enum class Verdict : std::uint8_t { better, worse, cannot_tell };

std::string_view name_of(Verdict verdict);

struct CampaignEffect {
  // A normal interval means little below these.
  static constexpr std::uint64_t k_people_min = 100;      // a group
  static constexpr std::uint64_t k_conversions_min = 20;  // both groups together

  double per_person = 0;  // mean of the offered less mean of the holdout
  double low = 0;         // 95 % interval of per_person
  double high = 0;
  double total = 0;  // per_person times the people offered
  double total_low = 0;
  double total_high = 0;
  Verdict verdict = Verdict::cannot_tell;
  std::string why;  // one sentence
};

// Variances of both groups apart (Welch).
CampaignEffect effect_of(const GroupSums& offered, const GroupSums& holdout);

// How many conversions the smaller group lacks before uplift may be learnt; 0 when it may.
constexpr std::uint64_t k_uplift_conversions_min = 500;  // a group
std::uint64_t conversions_missing(const GroupSums& offered, const GroupSums& holdout);

}  // namespace vitrine::training
