// What learnt uplift goes by: one person at one moment, and the coupon that was meant for them.
//
// The same inputs for what is learnt from decisions and for what is decided next, each as of its
// own time. Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/profiles/profile.h"
#include "training/uplift/uplift_learner.h"

namespace vitrine::coupons {

// Recency, frequency, what was spent, tenure and coupons used, before a moment; larger is more.
struct UpliftPerson {
  static constexpr std::size_t k_inputs = 5;
  float values[k_inputs] = {};
};

// currency     what was spent in another one counts as orders only
// redeemed_at  of coupons, in any order
UpliftPerson uplift_person(const profiles::Profile& profile, std::span<const TimeMs> redeemed_at,
                           std::string_view currency, TimeMs at_ms);

// What a campaign's earlier decisions taught, or why they did not.
struct LearnedUplift {
  std::optional<training::UpliftFit> fit = {};  // of the margin in money, coupons taken off
  std::vector<std::string> offers = {};         // that have an input each
  std::uint64_t people = 0;                     // learnt from
  // Of the scores that were learnt from: one outside counts as the nearer end, because expectations
  // move from round to round, and a line is only known where there were people.
  double score_low = 0;
  double score_high = 0;
  std::uint64_t conversions_missing = 0;  // in the smaller group
  std::string why = {};                   // one sentence

  // offer  empty: none
  // score  what was expected of it before uplift could be learnt; nothing: not known
  std::vector<float> row_of(const UpliftPerson& person, std::string_view offer,
                            std::optional<double> score) const;
  std::size_t inputs() const { return UpliftPerson::k_inputs + 2 + offers.size(); }
};

// What a decision by learnt uplift is logged as: its scores are no affinities.
inline constexpr std::string_view k_uplift_policy = "uplift";

// Learns; above the coupons, where what came of them is known. Thread-safe.
class UpliftSource {
 public:
  virtual ~UpliftSource() = default;
  virtual absl::StatusOr<LearnedUplift> learn(std::string_view campaign,
                                              std::string_view currency) const = 0;
};

}  // namespace vitrine::coupons
