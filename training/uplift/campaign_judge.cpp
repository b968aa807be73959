#include "training/uplift/campaign_judge.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

using PolicyKind = CampaignJudgement::PolicyKind;

// Of a chi-square with one degree of freedom at least as large.
double sample_ratio_p(double offered, double holdout, double holdout_share) {
  const double people = offered + holdout;
  if (people == 0 || holdout_share <= 0 || holdout_share >= 1) return 1;
  const double off = holdout - people * holdout_share;
  return std::erfc(std::sqrt(off * off / (2 * people * holdout_share * (1 - holdout_share))));
}

// How likely the policy does what was done, and the share of it that could not have been done.
struct Target {
  double chosen = 0;
  double unsupported = 0;
};

Target target_of(PolicyKind kind, std::uint32_t offer, std::span<const Arm> arms,
                 const Arm& chosen) {
  const auto always = [&](const Arm& arm) {
    const bool is_possible = std::ranges::find(arms, arm) != arms.end();
    return Target{.chosen = chosen == arm ? 1.0 : 0.0, .unsupported = is_possible ? 0.0 : 1.0};
  };
  switch (kind) {
    case PolicyKind::single:
      return always(offer);
    case PolicyKind::nobody:
      return always(std::nullopt);
    case PolicyKind::likeliest:
      return always(arms.front());
    case PolicyKind::uniform:
      return {.chosen = 1 / static_cast<double>(arms.size())};
  }
  return {};
}

void say_verdict(CampaignJudgement& judgement) {
  judgement.why = judgement.margin.why;
  if (judgement.sample_ratio_p < CampaignJudgement::k_sample_ratio_p_min) {
    judgement.why = fmt::format(
        "{} people were offered and {} kept: chance makes groups so far from what was planned "
        "once in {:.0g} campaigns, so something else assigned them",
        judgement.offered.orders.people, judgement.holdout.orders.people,
        1 / std::max(judgement.sample_ratio_p, 1e-300));
    return;
  }
  judgement.verdict = judgement.margin.verdict;
}

}  // namespace

std::string_view name_of(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::single:
      return "single";
    case PolicyKind::nobody:
      return "nobody";
    case PolicyKind::likeliest:
      return "likeliest";
    case PolicyKind::uniform:
      return "uniform";
  }
  return "";
}

void GroupFigures::add(const AssignedPerson& person) {
  orders.add(person.orders);
  margin.add(person.margin);
  redeemed += person.has_redeemed ? 1 : 0;
}

absl::Status CampaignJudge::add(const AssignedPerson& person) {
  if (!(person.propensity > 0 && person.propensity <= 1))
    return invalid_argument("propensity must be in (0, 1], got {}", person.propensity);
  if (!std::isfinite(person.orders) || !std::isfinite(person.margin) ||
      !std::isfinite(person.score.value_or(0))) {
    return invalid_argument("orders {}, margin {} and score {} must be finite", person.orders,
                            person.margin, person.score.value_or(0));
  }
  if (person.assignment == Assignment::universal_control) {
    ++sums_.universal_control;
    return absl::OkStatus();
  }
  const bool is_offered = person.assignment == Assignment::offered;
  (is_offered ? sums_.offered : sums_.holdout).add(person);
  if (person.chosen) {
    CampaignJudgement::Ghosts& ghosts = by_offer_[*person.chosen];
    ghosts.offer = *person.chosen;
    (is_offered ? ghosts.granted : ghosts.ghosts).add(person);
  }
  if (person.score) {
    scores_.push_back(*person.score);
    outcomes_.push_back(person.margin);
    treated_.push_back(is_offered ? 1 : 0);
  }
  if (!is_offered) return absl::OkStatus();
  if (person.arms.empty()) {
    arms_.push_back(person.chosen);  // nothing else could have been done
  } else {
    arms_.insert(arms_.end(), person.arms.begin(), person.arms.end());
  }
  people_.push_back({.arms_end = arms_.size(),
                     .chosen = person.chosen,
                     .propensity = person.propensity,
                     .margin = person.margin});
  return absl::OkStatus();
}

std::span<const Arm> CampaignJudge::arms_of(std::size_t place) const {
  const std::size_t begin = place == 0 ? 0 : people_[place - 1].arms_end;
  return {arms_.data() + begin, people_[place].arms_end - begin};
}

std::vector<std::uint32_t> CampaignJudge::offers_by_use() const {
  const auto people_with = [&](std::uint32_t offer) {
    const CampaignJudgement::Ghosts& of = by_offer_.at(offer);
    return of.granted.orders.people + of.ghosts.orders.people;
  };
  std::vector<std::uint32_t> offers;
  offers.reserve(by_offer_.size());
  for (const auto& [offer, ghosts] : by_offer_) offers.push_back(offer);
  std::ranges::sort(offers, [&](std::uint32_t a, std::uint32_t b) {
    return people_with(a) != people_with(b) ? people_with(a) > people_with(b) : a < b;
  });
  offers.resize(std::min(offers.size(), CampaignJudgement::k_offers_max));
  return offers;
}

void CampaignJudge::compare_with_ghosts(CampaignJudgement& judgement) const {
  for (const std::uint32_t offer : offers_by_use()) {
    CampaignJudgement::Ghosts ghosts = by_offer_.at(offer);
    ghosts.orders = effect_of(ghosts.granted.orders, ghosts.ghosts.orders);
    ghosts.margin = effect_of(ghosts.granted.margin, ghosts.ghosts.margin);
    judgement.ghosts.push_back(std::move(ghosts));
  }
}

void CampaignJudge::judge_scores(CampaignJudgement& judgement) const {
  const std::size_t step = scores_.size() / CampaignJudgement::k_curve_people_max + 1;
  std::vector<double> scores;
  std::vector<double> outcomes;
  std::vector<std::uint8_t> treated;
  for (std::size_t i = 0; i < scores_.size(); i += step) {
    scores.push_back(scores_[i]);
    outcomes.push_back(outcomes_[i]);
    treated.push_back(treated_[i]);
  }
  const ScoredOutcomes people{.scores = scores, .treated = treated, .outcomes = outcomes};
  absl::StatusOr<UpliftCurve> curve = uplift_curve(people);
  if (!curve.ok()) return;  // a group without people
  absl::StatusOr<CurveIntervals> intervals = curve_intervals(people);
  if (!intervals.ok()) return;
  judgement.scores = CampaignJudgement::Scores{
      .people = scores_.size(), .curve = *std::move(curve), .intervals = *std::move(intervals)};
}

// The mean of all as a model of the reward: what every arm has in common then costs no variance.
OffPolicyEstimate CampaignJudge::value_of(PolicyKind kind, std::uint32_t offer) const {
  const GroupSums& all = sums_.offered.margin;
  const double mean = all.people == 0 ? 0 : all.sum / static_cast<double>(all.people);
  OffPolicyEstimator estimator;
  for (std::size_t i = 0; i < people_.size(); ++i) {
    const Offered& one = people_[i];
    const Target target = target_of(kind, offer, arms_of(i), one.chosen);
    const absl::Status added = estimator.add({.propensity = one.propensity,
                                              .target_propensity = target.chosen,
                                              .reward = one.margin,
                                              .predicted = mean,
                                              .predicted_target = mean,
                                              .unsupported = target.unsupported});
    CHECK(added.ok(), "add() has looked at it");
  }
  return estimator.estimate();
}

void CampaignJudge::judge_policies(CampaignJudgement& judgement) const {
  if (people_.empty()) return;
  for (const std::uint32_t offer : offers_by_use())
    judgement.policies.push_back({PolicyKind::single, offer, value_of(PolicyKind::single, offer)});
  for (const PolicyKind kind : {PolicyKind::nobody, PolicyKind::likeliest, PolicyKind::uniform})
    judgement.policies.push_back({kind, 0, value_of(kind, 0)});
  for (std::size_t i = 0; i < judgement.policies.size(); ++i) {
    const CampaignJudgement::Policy& one = judgement.policies[i];
    if (one.kind != PolicyKind::single || !one.estimate.refusals.empty()) continue;
    const auto value = [&](std::size_t place) {
      return judgement.policies[place].estimate.doubly_robust.value;
    };
    if (!judgement.best_single || value(i) > value(*judgement.best_single))
      judgement.best_single = i;
  }
  if (!judgement.best_single) return;
  // What the single offer gains on the campaign is what the campaign loses on it.
  const Verdict single = judgement.policies[*judgement.best_single].estimate.verdict;
  if (single == Verdict::better) judgement.against_best_single = Verdict::worse;
  if (single == Verdict::worse) judgement.against_best_single = Verdict::better;
}

CampaignJudgement CampaignJudge::judgement() const {
  CampaignJudgement judgement = sums_;
  judgement.sample_ratio_p =
      sample_ratio_p(static_cast<double>(judgement.offered.orders.people),
                     static_cast<double>(judgement.holdout.orders.people), holdout_share_);
  judgement.orders = effect_of(judgement.offered.orders, judgement.holdout.orders);
  judgement.margin = effect_of(judgement.offered.margin, judgement.holdout.margin);
  judgement.conversions_missing =
      conversions_missing(judgement.offered.orders, judgement.holdout.orders);
  say_verdict(judgement);
  compare_with_ghosts(judgement);
  judge_scores(judgement);
  judge_policies(judgement);
  return judgement;
}

}  // namespace vitrine::training
