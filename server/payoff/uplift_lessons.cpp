#include "server/payoff/uplift_lessons.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/status.h"

namespace vitrine::payoff {

using coupons::LearnedUplift;
using training::Assignment;

struct UpliftLessons::Pupil {
  UserNumber user;
  TimeMs time_ms;
  bool is_offered;
  std::string offer;  // chosen, ghosts too; empty: none
  std::optional<double> score;
  double margin;
};

namespace {

// Those chosen most often, by their ids.
std::vector<std::string> most_chosen(const std::map<std::string, std::size_t>& counts,
                                     std::size_t count_max) {
  std::vector<std::pair<std::size_t, std::string>> by_count;
  by_count.reserve(counts.size());
  for (const auto& [offer, count] : counts) by_count.emplace_back(count, offer);
  std::ranges::stable_sort(by_count, std::greater<>(), [](const auto& one) { return one.first; });
  if (by_count.size() > count_max) by_count.resize(count_max);
  std::vector<std::string> offers;
  offers.reserve(by_count.size());
  for (auto& [count, offer] : by_count) offers.push_back(std::move(offer));
  std::ranges::sort(offers);
  return offers;
}

std::string why_not(const CampaignReport& report, double holdout_share) {
  const training::CampaignJudgement& judged = report.judgement;
  if (!(holdout_share > 0)) return "the campaign has no holdout to learn from";
  if (judged.conversions_missing > 0) {
    return fmt::format(
        "{} buyers are missing in the smaller of both groups: uplift is learnt from {} on",
        judged.conversions_missing, training::k_uplift_conversions_min);
  }
  if (judged.sample_ratio_p < training::CampaignJudgement::k_sample_ratio_p_min) return judged.why;
  return "";
}

}  // namespace

absl::StatusOr<LearnedUplift> UpliftLessons::learn(std::string_view campaign,
                                                   std::string_view currency) const {
  std::vector<Pupil> pupils;
  std::map<std::string, std::size_t> counts;
  const auto take = [&](const JudgedPerson& person) {
    if (person.first.assignment == Assignment::universal_control) return;
    // What a policy of learnt uplift expected is no affinity.
    const bool has_affinity = !person.first.is_by_uplift;
    pupils.push_back({.user = person.first.user,
                      .time_ms = person.first.time_ms,
                      .is_offered = person.first.assignment == Assignment::offered,
                      .offer = person.offer != nullptr ? *person.offer : std::string(),
                      .score = has_affinity ? person.first.score : std::nullopt,
                      .margin = person.margin});
    if (person.offer != nullptr) ++counts[*person.offer];
  };
  VITRINE_ASSIGN_OR_RETURN(
      const CampaignReport report,
      parts_.reports.report({.campaign = std::string(campaign), .currency = std::string(currency)},
                            take));
  const double holdout_share = parts_.desk.offers()->campaign(campaign)->holdout_share;
  LearnedUplift lesson{.people = pupils.size(),
                       .conversions_missing = report.judgement.conversions_missing,
                       .why = why_not(report, holdout_share)};
  if (!lesson.why.empty()) return lesson;
  lesson.offers = most_chosen(counts, k_offers_max);
  bool has_scores = false;
  for (const Pupil& pupil : pupils) {
    if (!pupil.score) continue;
    lesson.score_low = has_scores ? std::min(lesson.score_low, *pupil.score) : *pupil.score;
    lesson.score_high = has_scores ? std::max(lesson.score_high, *pupil.score) : *pupil.score;
    has_scores = true;
  }
  VITRINE_ASSIGN_OR_RETURN(lesson.fit, fit(pupils, holdout_share, currency, lesson));
  return lesson;
}

absl::StatusOr<training::UpliftFit> UpliftLessons::fit(const std::vector<Pupil>& pupils,
                                                       double holdout_share,
                                                       std::string_view currency,
                                                       const LearnedUplift& lesson) const {
  static const profiles::Profile nobody;
  training::UpliftExamples examples;
  examples.inputs = lesson.inputs();
  for (const Pupil& pupil : pupils) {
    const auto profile = parts_.profiles.find(pupil.user);
    VITRINE_ASSIGN_OR_RETURN(const std::vector<TimeMs> redeemed,
                             parts_.desk.redeemed_at(pupil.user));
    const coupons::UpliftPerson person =
        coupons::uplift_person(profile ? *profile : nobody, redeemed, currency, pupil.time_ms);
    examples.add(lesson.row_of(person, pupil.offer, pupil.score), pupil.is_offered,
                 static_cast<float>(pupil.margin), 1 - holdout_share);
  }
  return training::fit_uplift(examples, {.outcome = training::OutcomeKind::amount});
}

}  // namespace vitrine::payoff
