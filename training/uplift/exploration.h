// Which of a few offers one person gets, with a probability that is known and never near 0.
//
// SquareCB, inverse-gap weighting (Foster and Rakhlin, "Beyond UCB", 2020): with the best predicted
// value y* among K arms, every other arm a gets 1 / (K + gamma (y* - y_a)) and the best the rest.
// A floor then makes each arm likely enough for the log to judge any later policy over the same
// arms: no weight can exceed 1 / floor. Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::training {

struct ExplorationOptions {
  static constexpr double k_gamma_max = 1e9;

  // How fast chance leaves an arm that promises less, per unit of value. 0: all arms alike.
  double gamma = 100;
  double floor = 0.01;          // least probability of an arm of the shortlist
  std::uint32_t shortlist = 9;  // offers that are drawn from, beside "none"
};

// InvalidArgument: gamma outside [0, 1e9], no shortlist, or floors that leave less than half of the
// probability to the values: floor (shortlist + 1) must be at most 1/2.
absl::Status check(const ExplorationOptions& options);

// The places of the `options.shortlist` largest values, best first; equal values in their order.
std::vector<std::uint32_t> shortlist_of(std::span<const double> values,
                                        const ExplorationOptions& options);

// The probability of every arm, after the floor; they sum to 1. Equal best values: the first one
// gets the rest. Preconditions: the options pass check(); 1 to shortlist + 1 finite values.
std::vector<double> propensities_of(std::span<const double> values,
                                    const ExplorationOptions& options);

// The arm in which `chance`, uniform in [0, 1), falls. Precondition: propensities as above.
std::uint32_t drawn_arm(std::span<const double> propensities, double chance);

// gamma after `decisions` of them over `arms` arms: it grows with the square root of what was
// learnt, sqrt(decisions x arms) / value_scale, where `value_scale` is a typical difference between
// two arms' values. Precondition: value_scale > 0.
double gamma_after(std::uint64_t decisions, std::uint32_t arms, double value_scale);

}  // namespace vitrine::training
