// Who is kept from a campaign by chance, so that its effect can be measured without asking why.
//
// A universal control group lies above all campaigns; below it each campaign keeps a share of its
// own. Both are drawn by hash of the person, so that an answer needs no memory and a batch finds
// what a single decision found. Whoever merges people passes on the number that was assigned first.
// Thread-safe (pure functions).
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::training {

struct HoldoutPlan {
  static constexpr double k_share_max = 0.5;

  std::string campaign_seed;      // the campaign's id, say: two campaigns draw independently
  double share = 0.10;            // of the people below the universal control group
  std::string universal_seed;     // renewed once a year
  double universal_share = 0.02;  // of everybody
};

enum class Assignment : std::uint8_t {
  offered,            // may be shown and granted coupons of the campaign
  holdout,            // is kept from this campaign
  universal_control,  // is kept from every campaign
};

std::string_view name_of(Assignment assignment);

// InvalidArgument: a share outside [0, 0.5], or a share above 0 without its seed.
absl::Status check(const HoldoutPlan& plan);

// Where a person falls under `seed`, uniform in [0, 1) and for ever the same.
double place_of(std::uint64_t person, std::string_view seed);

// Precondition: the plan passes check().
Assignment assignment_of(std::uint64_t person, const HoldoutPlan& plan);

}  // namespace vitrine::training
