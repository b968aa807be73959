#include "server/payoff/first_decisions.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/coupons/uplift_inputs.h"
#include "server/payoff/homes.h"

namespace vitrine::payoff {
namespace {

using coupons::CouponDecision;
using coupons::DecisionOutcome;

bool is_of(const coupons::OfferBook& book, const std::string& offer, std::string_view campaign) {
  const auto known = book.offer(offer);
  return known && known->campaign == campaign;
}

}  // namespace

absl::StatusOr<FirstDecisions> FirstDecisions::read(const coupons::CouponDecisionLog& log,
                                                    const identity::IdentityBook& identities,
                                                    const coupons::OfferBook& book,
                                                    std::string_view campaign) {
  FirstDecisions firsts;
  absl::Status status;
  const auto take = [&](const CouponDecision& decision) {
    firsts.count(decision);
    const absl::StatusOr<UserNumber> home = home_of(identities, decision.user);
    if (!home.ok()) return status.Update(home.status());
    if (*home == k_nobody) {
      ++firsts.nameless_;
    } else {
      firsts.take(decision, book, *home);
    }
  };
  VITRINE_RETURN_IF_ERROR(log.for_each({.campaign = campaign}, take));
  VITRINE_RETURN_IF_ERROR(status);
  return firsts;
}

void FirstDecisions::count(const CouponDecision& decision) {
  if (decision.offer.empty()) return;
  DecisionCounts& counts = counts_[decision.offer];
  switch (decision.outcome) {
    case DecisionOutcome::nothing:
      return;
    case DecisionOutcome::shown:
      ++counts.shown;
      shown_.emplace(decision.decision_id, number_of(decision.offer));
      return;
    case DecisionOutcome::granted:
      ++counts.granted;
      return;
    case DecisionOutcome::ghost:
      ++counts.ghosts;
      return;
  }
}

void FirstDecisions::take(const CouponDecision& decision, const coupons::OfferBook& book,
                          UserNumber user) {
  const auto [place, is_new] = places_.try_emplace(user, firsts_.size());
  if (!is_new && firsts_[place->second].time_ms <= decision.time_ms) return;
  First first{.user = user,
              .time_ms = decision.time_ms,
              .assignment = decision.assignment,
              .is_by_uplift = decision.policy == coupons::k_uplift_policy};
  keep_arms(decision, book, first);
  is_new ? firsts_.push_back(first) : static_cast<void>(firsts_[place->second] = first);
}

// Offers of other campaigns are none here, together with none itself.
void FirstDecisions::keep_arms(const CouponDecision& decision, const coupons::OfferBook& book,
                               First& first) {
  first.arms_begin = arms_.size();
  first.arms_end = arms_.size();
  first.propensity = decision.propensity;
  if (!decision.offer.empty()) first.chosen = number_of(decision.offer);
  if (decision.arms.empty()) return;
  std::vector<std::pair<double, training::Arm>> arms;
  double none = 0;
  double none_score = 0;
  for (const coupons::DecisionArm& arm : decision.arms) {
    if (arm.offer == decision.offer || is_of(book, arm.offer, decision.campaign)) {
      if (!arm.offer.empty()) {
        arms.emplace_back(arm.propensity, number_of(arm.offer));
        first.score = std::max(first.score.value_or(arm.score), arm.score);
        continue;
      }
    }
    none += arm.propensity;
    none_score = std::max(none_score, arm.score);
  }
  if (none > 0) arms.emplace_back(none, std::nullopt);
  if (first.score) *first.score -= none_score;
  std::ranges::sort(arms, std::greater<>());
  for (const auto& [propensity, arm] : arms) {
    if (arm == first.chosen) first.propensity = propensity;
    arms_.push_back(arm);
  }
  if (!(first.propensity > 0)) {  // the policy's choice was overruled: chance had no part in it
    arms_.resize(first.arms_begin);
    first.propensity = 1;
  }
  first.arms_end = arms_.size();
}

std::optional<std::size_t> FirstDecisions::place_of(UserNumber user) const {
  const auto place = places_.find(user);
  return place == places_.end() ? std::nullopt : std::optional(place->second);
}

std::uint32_t FirstDecisions::number_of(const std::string& offer) {
  const auto [place, is_new] =
      offer_numbers_.try_emplace(offer, static_cast<std::uint32_t>(offers_.size()));
  if (is_new) offers_.push_back(offer);
  return place->second;
}

}  // namespace vitrine::payoff
