#include "training/uplift/coupon_decision.h"

#include <cmath>

#include "base/status.h"

namespace vitrine::training {
namespace {

absl::Status check(const DecisionRequest& request) {
  if (!(request.chance >= 0 && request.chance < 1))
    return invalid_argument("chance must be in [0, 1), got {}", request.chance);
  for (const AllocationOption& option : request.eligible) {
    if (option.offer >= request.budgets_of_offer.size())
      return invalid_argument("offer {} of {}", option.offer, request.budgets_of_offer.size());
    for (const std::uint32_t budget : request.budgets_of_offer[option.offer]) {
      if (budget >= request.prices.size()) {
        return invalid_argument("offer {} draws from budget {} of {}", option.offer, budget,
                                request.prices.size());
      }
    }
    if (!std::isfinite(option.value) || !std::isfinite(option.cost)) {
      return invalid_argument("offer {}: value {} and cost {} must be finite", option.offer,
                              option.value, option.cost);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CouponDecision> decide(const DecisionRequest& request, const HoldoutPlan& plan,
                                      const ExplorationOptions& options) {
  VITRINE_RETURN_IF_ERROR(check(request));
  VITRINE_RETURN_IF_ERROR(check(plan));
  VITRINE_RETURN_IF_ERROR(check(options));
  std::vector<double> scores;
  for (const AllocationOption& option : request.eligible) {
    const double price = price_of(request.budgets_of_offer[option.offer], request.prices);
    scores.push_back(option.value - price * option.cost);
  }
  CouponDecision decision;
  decision.assignment = assignment_of(request.person, plan);
  std::vector<double> arm_scores;
  for (const std::uint32_t place : shortlist_of(scores, options)) {
    decision.arms.push_back({.offer = request.eligible[place].offer, .score = scores[place]});
    arm_scores.push_back(scores[place]);
  }
  decision.arms.emplace_back();  // none, worth nothing and costing nothing
  arm_scores.push_back(0);
  const std::vector<double> propensities = propensities_of(arm_scores, options);
  for (std::size_t arm = 0; arm < propensities.size(); ++arm)
    decision.arms[arm].propensity = propensities[arm];
  decision.chosen = drawn_arm(propensities, request.chance);
  return decision;
}

}  // namespace vitrine::training
