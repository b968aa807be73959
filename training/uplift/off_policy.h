// What another policy would have earned, from a log of what this one did with known probabilities.
//
//   IPS    mean(w r), w = target(a|x) / logged(a|x)          (Horvitz and Thompson 1952)
//   SNIPS  sum(w r) / sum(w)                                 (Swaminathan and Joachims 2015)
//   DM     mean(sum_a target(a|x) q(x, a))                   what a model of the reward says
//   DR     mean(sum_a target(a|x) q(x, a) + w (r - q(x, a))) (Dudik, Langford and Li 2011)
//
// Beside them stands how far the log carries: a few large weights decide everything when the
// policies differ, and then there is no verdict. Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <vector>

#include "training/uplift/detectable_effect.h"

namespace vitrine::training {

struct LoggedDecision {
  double propensity = 0;         // of what was done, as logged; in (0, 1]
  double target_propensity = 0;  // of the same under the policy in question; in [0, 1]
  double reward = 0;
  // What a model that has not seen this reward expects; 0 without a model, which makes DR IPS.
  double predicted = 0;         // for what was done
  double predicted_target = 0;  // on average over what the policy in question would do
  // How much of the policy's probability lies on what the log could not do here.
  double unsupported = 0;
};

struct Estimate {
  double value = 0;
  double error = 0;  // standard error
};

struct OffPolicyEstimate {
  static constexpr double k_effective_min = 1000;    // decisions
  static constexpr double k_weight_drift_max = 0.1;  // of the mean weight from 1
  static constexpr double k_unsupported_max = 0.01;  // mean share of probability

  std::uint64_t decisions = 0;
  Estimate logged;  // what the log itself earned
  Estimate ips;
  Estimate snips;
  Estimate direct;
  Estimate doubly_robust;
  Estimate gain;  // doubly_robust less logged, paired
  double weight_mean = 0;
  double weight_max = 0;
  double effective = 0;  // (sum w)^2 / sum w^2: as many decisions of the policy's own would tell
  double unsupported = 0;
  // Of the gain; cannot_tell when support is missing or its 95 % interval holds 0.
  Verdict verdict = Verdict::cannot_tell;
  std::vector<std::string> refusals;  // why support is missing, one sentence each
};

class OffPolicyEstimator {
 public:
  // InvalidArgument: a probability outside its range or a number that is not finite; not counted.
  absl::Status add(const LoggedDecision& decision);

  // Zeros and a refusal without decisions.
  OffPolicyEstimate estimate() const;

 private:
  struct Moments {
    double sum = 0;
    double squares = 0;

    void add(double value);
    Estimate over(double count) const;
  };

  std::uint64_t decisions_ = 0;
  Moments reward_;
  Moments weighted_;
  Moments direct_;
  Moments doubly_robust_;
  Moments gain_;
  Moments weight_;
  double weight_max_ = 0;
  double squared_weight_reward_ = 0;  // sum w^2 r, and below sum w^2 r^2: for SNIPS' error
  double squared_weighted_ = 0;
  double unsupported_ = 0;
};

}  // namespace vitrine::training
