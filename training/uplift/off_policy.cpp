#include "training/uplift/off_policy.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr double k_z_95 = 1.959963985;

absl::Status check(const LoggedDecision& decision) {
  if (!(decision.propensity > 0 && decision.propensity <= 1))
    return invalid_argument("propensity must be in (0, 1], got {}", decision.propensity);
  if (!(decision.target_propensity >= 0 && decision.target_propensity <= 1)) {
    return invalid_argument("target_propensity must be in [0, 1], got {}",
                            decision.target_propensity);
  }
  if (!(decision.unsupported >= 0 && decision.unsupported <= 1))
    return invalid_argument("unsupported must be in [0, 1], got {}", decision.unsupported);
  if (!std::isfinite(decision.reward) || !std::isfinite(decision.predicted) ||
      !std::isfinite(decision.predicted_target)) {
    return invalid_argument("reward {} and predictions {} and {} must be finite", decision.reward,
                            decision.predicted, decision.predicted_target);
  }
  return absl::OkStatus();
}

std::vector<std::string> refusals_of(const OffPolicyEstimate& estimate) {
  std::vector<std::string> refusals;
  if (estimate.effective < OffPolicyEstimate::k_effective_min) {
    refusals.push_back(fmt::format("the log tells as much as {:.1f} decisions, {:.0f} are needed",
                                   estimate.effective, OffPolicyEstimate::k_effective_min));
  }
  if (std::abs(estimate.weight_mean - 1) > OffPolicyEstimate::k_weight_drift_max) {
    refusals.push_back(fmt::format("the mean weight is {:.3f}, it must be within {} of 1",
                                   estimate.weight_mean, OffPolicyEstimate::k_weight_drift_max));
  }
  if (estimate.unsupported > OffPolicyEstimate::k_unsupported_max) {
    refusals.push_back(
        fmt::format("{:.1f} % of what the policy would do was never done, at most {:.0f} % may be",
                    100 * estimate.unsupported, 100 * OffPolicyEstimate::k_unsupported_max));
  }
  return refusals;
}

}  // namespace

void OffPolicyEstimator::Moments::add(double value) {
  sum += value;
  squares += value * value;
}

Estimate OffPolicyEstimator::Moments::over(double count) const {
  const double mean = sum / count;
  if (count < 2) return {mean, 0};
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean) / (count - 1))};
}

absl::Status OffPolicyEstimator::add(const LoggedDecision& decision) {
  VITRINE_RETURN_IF_ERROR(check(decision));
  const double weight = decision.target_propensity / decision.propensity;
  const double robust = decision.predicted_target + weight * (decision.reward - decision.predicted);
  ++decisions_;
  reward_.add(decision.reward);
  weighted_.add(weight * decision.reward);
  direct_.add(decision.predicted_target);
  doubly_robust_.add(robust);
  gain_.add(robust - decision.reward);
  weight_.add(weight);
  weight_max_ = std::max(weight_max_, weight);
  squared_weight_reward_ += weight * weight * decision.reward;
  squared_weighted_ += weight * weight * decision.reward * decision.reward;
  unsupported_ += decision.unsupported;
  return absl::OkStatus();
}

OffPolicyEstimate OffPolicyEstimator::estimate() const {
  OffPolicyEstimate estimate;
  estimate.decisions = decisions_;
  if (decisions_ == 0) {
    estimate.refusals.emplace_back("the log holds no decisions");
    return estimate;
  }
  const auto count = static_cast<double>(decisions_);
  estimate.logged = reward_.over(count);
  estimate.ips = weighted_.over(count);
  estimate.direct = direct_.over(count);
  estimate.doubly_robust = doubly_robust_.over(count);
  estimate.gain = gain_.over(count);
  estimate.weight_mean = weight_.sum / count;
  estimate.weight_max = weight_max_;
  estimate.unsupported = unsupported_ / count;
  if (weight_.squares > 0) {
    estimate.effective = weight_.sum * weight_.sum / weight_.squares;
    const double value = weighted_.sum / weight_.sum;
    // The delta method: sqrt(sum w^2 (r - value)^2) / sum w.
    const double spread =
        squared_weighted_ - 2 * value * squared_weight_reward_ + value * value * weight_.squares;
    estimate.snips = {value, std::sqrt(std::max(0.0, spread)) / weight_.sum};
  }
  estimate.refusals = refusals_of(estimate);
  const double reach = k_z_95 * estimate.gain.error;
  if (!estimate.refusals.empty()) return estimate;
  if (estimate.gain.value - reach > 0) estimate.verdict = Verdict::better;
  if (estimate.gain.value + reach < 0) estimate.verdict = Verdict::worse;
  return estimate;
}

}  // namespace vitrine::training
