#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "base/random.h"
#include "base/status.h"
#include "training/logistic.h"
#include "training/uplift/coupon_history.h"
#include "training/uplift/redemption_study.h"

namespace vitrine::training {
namespace {

constexpr Day k_never = std::numeric_limits<Day>::max();
constexpr double k_demand_min = 1e-5;

// What is known of a grant on its day.
constexpr std::size_t k_inputs = 7;

std::vector<float> inputs_of(const CouponHistory& history, const CouponBooks& books,
                             const CouponBooks::Grant& grant) {
  const double days = history.redeeming_days(grant.person);
  const double campaigns = history.campaigns_before(grant.person);
  const std::size_t products = books.coupons[grant.coupon].products.size();
  const double inputs[k_inputs] = {
      std::log((days + 0.2) / (campaigns + 1)),
      history.redeeming_recency(grant.person),
      history.used_coupons_in_purchases(grant.person) ? 1.0 : 0.0,
      std::log(history.demand(grant.person, grant.coupon) + k_demand_min),
      history.covered_recency(grant.person, grant.coupon),
      std::log1p(static_cast<double>(products)),
      std::log(history.department_share(grant.coupon)),
  };
  return {std::begin(inputs), std::end(inputs)};
}

// A grant with what was known on its day and what became of it.
struct Case {
  CouponBooks::Grant grant;
  Day redeemed = k_never;
  std::vector<float> inputs;
  double redemptions_before = 0;  // of the person
  double covered_before = 0;  // purchases of the person that the coupon would have been good for
  double chance = 0;
};

// The day of the first redemption of each grant.
std::map<std::pair<std::uint32_t, std::uint32_t>, Day> first_redemptions(const CouponBooks& books) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Day> days;
  for (const CouponBooks::Redemption& one : books.redemptions)
    days.try_emplace({one.person, one.coupon}, one.day);
  return days;
}

std::vector<Case> cases_of(const CouponBooks& books) {
  const auto redeemed = first_redemptions(books);
  CouponHistory history(books);
  std::vector<Case> cases;
  for (const CouponBooks::Grant& grant : books.grants) {
    history.advance(grant.day);
    Case one;
    one.grant = grant;
    const auto found = redeemed.find({grant.person, grant.coupon});
    if (found != redeemed.end()) one.redeemed = found->second;
    one.inputs = inputs_of(history, books, grant);
    one.redemptions_before = history.redemptions_by(grant.person);
    one.covered_before = history.covered_purchases(grant.person, grant.coupon);
    cases.push_back(std::move(one));
  }
  return cases;
}

// What was known on `day` of the grants before it: a grant still open that was not redeemed counts
// as much as of its time has passed.
LogisticExamples examples_before(Day day, std::span<const Case> cases) {
  LogisticExamples examples;
  examples.inputs = k_inputs;
  for (const Case& one : cases) {
    if (one.grant.day >= day) break;
    const bool is_redeemed = one.redeemed < day;
    const double passed =
        static_cast<double>(day - one.grant.day) / (one.grant.expires - one.grant.day + 1);
    examples.values.insert(examples.values.end(), one.inputs.begin(), one.inputs.end());
    examples.labels.push_back(is_redeemed ? 1 : 0);
    examples.weights.push_back(is_redeemed ? 1.0F : static_cast<float>(std::min(1.0, passed)));
  }
  return examples;
}

// Says the chance of every case from `from` on, with a model of what was known on its day. Before
// both kinds of outcome were seen, a chance is 0 for all.
void foretell(std::span<Case> cases, Day from, double ridge) {
  std::optional<LogisticModel> model;
  Day fitted = 0;
  for (Case& one : cases) {
    if (one.grant.day < from) continue;
    if (one.grant.day != fitted) {
      fitted = one.grant.day;
      absl::StatusOr<LogisticModel> fit = fit_logistic(examples_before(fitted, cases), ridge);
      if (fit.ok()) model = *std::move(fit);
    }
    if (model) one.chance = model->probability(one.inputs);
  }
}

// One ranking of the judged grants: a score each.
struct Scores {
  std::string name;
  std::vector<double> values;
};

struct Judged {
  double auc = 0;
  double top_decile = 0;
};

// `order` by falling score; `counts` says how often each grant was drawn. Equal scores share what
// falls on them.
Judged judge(const std::vector<double>& scores, std::span<const std::uint32_t> order,
             std::span<const std::uint8_t> redeemed, std::span<const std::uint32_t> counts) {
  double all = 0;
  double positives = 0;
  for (const std::uint32_t i : order) {
    all += counts[i];
    positives += counts[i] * redeemed[i];
  }
  const double decile = all / 10;
  Judged result;
  double seen = 0;
  double seen_positives = 0;
  double pairs = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double here = 0;
    double here_positives = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      here += counts[order[end]];
      here_positives += counts[order[end]] * redeemed[order[end]];
    }
    const double negatives_after =
        (all - positives) - (seen - seen_positives) - (here - here_positives);
    pairs += here_positives * (negatives_after + (here - here_positives) / 2);
    if (here > 0 && seen < decile)
      result.top_decile += here_positives * std::min(1.0, (decile - seen) / here);
    seen += here;
    seen_positives += here_positives;
    begin = end;
  }
  if (positives > 0) {
    result.auc = pairs / (positives * (all - positives));
    result.top_decile /= positives;
  }
  return result;
}

// Draws people, with all their grants.
std::vector<std::uint32_t> drawn_counts(std::span<const std::uint32_t> people, Random& random) {
  std::uint32_t most = 0;
  std::vector<std::uint32_t> present(people.begin(), people.end());
  std::ranges::sort(present);
  present.erase(std::unique(present.begin(), present.end()), present.end());
  most = present.back();
  std::vector<std::uint32_t> times(most + 1);
  for (std::size_t i = 0; i < present.size(); ++i) ++times[present[random.below(present.size())]];
  std::vector<std::uint32_t> counts(people.size());
  for (std::size_t i = 0; i < people.size(); ++i) counts[i] = times[people[i]];
  return counts;
}

WhoRedeems::Ranking rank(const Scores& scores, std::span<const std::uint8_t> redeemed,
                         std::span<const std::uint32_t> people, const BootstrapOptions& options) {
  std::vector<std::uint32_t> order(people.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return scores.values[a] > scores.values[b]; });
  const std::vector<std::uint32_t> once(people.size(), 1);
  const Judged here = judge(scores.values, order, redeemed, once);
  std::vector<double> aucs;
  std::vector<double> deciles;
  for (std::uint32_t draw = 0; draw < options.resamples; ++draw) {
    Random random(mix64(options.seed + mix64(draw)));
    const Judged judged = judge(scores.values, order, redeemed, drawn_counts(people, random));
    aucs.push_back(judged.auc);
    deciles.push_back(judged.top_decile);
  }
  return {scores.name, percentile_interval(here.auc, aucs, options.level),
          percentile_interval(here.top_decile, deciles, options.level)};
}

}  // namespace

absl::StatusOr<WhoRedeems> study_who_redeems(const CouponBooks& books,
                                             const StudyOptions& options) {
  std::vector<Case> cases = cases_of(books);
  foretell(cases, options.from, options.who_ridge);
  std::vector<std::uint8_t> redeemed;
  std::vector<std::uint32_t> people;
  std::vector<Scores> rankings = {{"personal", {}}, {"redeemed before", {}}, {"bought before", {}}};
  WhoRedeems result;
  for (const Case& one : cases) {
    if (one.grant.day < options.from) continue;
    redeemed.push_back(one.redeemed != k_never ? 1 : 0);
    people.push_back(one.grant.person);
    rankings[0].values.push_back(one.chance);
    rankings[1].values.push_back(one.redemptions_before);
    rankings[2].values.push_back(one.covered_before);
    result.expected += one.chance;
    result.redeemed += redeemed.back();
  }
  result.grants = redeemed.size();
  if (result.redeemed == 0 || result.redeemed == result.grants) {
    return invalid_argument("{} of {} grants from the split on were redeemed: both are needed",
                            result.redeemed, result.grants);
  }
  for (const Scores& scores : rankings)
    result.rankings.push_back(rank(scores, redeemed, people, options.bootstrap));
  return result;
}

}  // namespace vitrine::training
