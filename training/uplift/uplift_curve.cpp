#include "training/uplift/uplift_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/status.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

struct Sums {
  double people = 0;
  double sum = 0;
  double squares = 0;

  void add(double outcome, double count) {
    people += count;
    sum += count * outcome;
    squares += count * outcome * outcome;
  }
  double variance_of_mean() const {
    const double mean = sum / people;
    return people > 1 ? std::max(0.0, squares / people - mean * mean) / (people - 1) : 0;
  }
};

absl::Status check(const ScoredOutcomes& people) {
  if (people.treated.size() != people.scores.size() ||
      people.outcomes.size() != people.scores.size()) {
    return invalid_argument("{} scores, {} groups and {} outcomes are not those of the same people",
                            people.scores.size(), people.treated.size(), people.outcomes.size());
  }
  for (std::size_t i = 0; i < people.scores.size(); ++i) {
    if (!std::isfinite(people.scores[i]) || !std::isfinite(people.outcomes[i])) {
      return invalid_argument("person {}: score {} and outcome {} must be finite", i,
                              people.scores[i], people.outcomes[i]);
    }
  }
  const auto treated =
      std::ranges::count_if(people.treated, [](std::uint8_t group) { return group != 0; });
  if (treated == 0 || static_cast<std::size_t>(treated) == people.treated.size()) {
    return invalid_argument("{} of {} people were treated: both groups are needed", treated,
                            people.treated.size());
  }
  return absl::OkStatus();
}

std::vector<std::uint32_t> by_falling_score(std::span<const double> scores) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  return order;
}

double line_between(double from, double to, double part) { return from + (to - from) * part; }

// Fills areas and coefficients from the points.
void measure(UpliftCurve& curve, const Sums& treated, const Sums& control) {
  double qini = 0;
  double gain = 0;
  for (std::size_t i = 1; i < curve.points.size(); ++i) {
    const UpliftCurve::Point& a = curve.points[i - 1];
    const UpliftCurve::Point& b = curve.points[i];
    qini += (b.people - a.people) * (a.qini + b.qini) / 2;
    gain += (b.people - a.people) * (a.gain + b.gain) / 2;
  }
  const UpliftCurve::Point& end = curve.points.back();
  qini /= end.people;
  gain /= end.people;
  curve.qini_area = qini - end.qini / 2;
  curve.gain_area = gain - end.gain / 2;
  const double effect = treated.sum / treated.people - control.sum / control.people;
  const double error = std::sqrt(treated.variance_of_mean() + control.variance_of_mean());
  if (effect == 0 || std::abs(effect) < 2 * error) return;
  curve.qini = qini / end.qini - 0.5;
  curve.auuc = gain / end.gain;
}

// `counts` says how often each person was drawn; empty: once.
UpliftCurve curve_of(const ScoredOutcomes& people, std::span<const std::uint32_t> order,
                     std::span<const std::uint16_t> counts) {
  UpliftCurve curve;
  curve.points.emplace_back();
  Sums treated;
  Sums control;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t person = order[i];
    const double count = counts.empty() ? 1 : counts[person];
    (people.treated[person] != 0 ? treated : control).add(people.outcomes[person], count);
    const bool is_tied =
        i + 1 < order.size() && people.scores[order[i + 1]] == people.scores[person];
    if (is_tied || treated.people == 0 || control.people == 0) continue;
    const double all = treated.people + control.people;
    if (all == curve.points.back().people) continue;  // nobody of this score was drawn
    curve.points.push_back(
        {.people = all,
         .qini = treated.sum - control.sum * treated.people / control.people,
         .gain = (treated.sum / treated.people - control.sum / control.people) * all});
  }
  if (curve.points.size() > 1) measure(curve, treated, control);
  return curve;
}

constexpr std::size_t k_measures = 4;

std::array<double, k_measures> measures_of(const UpliftCurve& curve) {
  if (curve.points.size() < 2) return {};
  return {curve.qini_area, curve.gain_area, curve.uplift_at(0.1), curve.uplift_at(0.3)};
}

}  // namespace

double UpliftCurve::uplift_at(double share) const {
  const double wanted = share * points.back().people;
  const auto after = std::ranges::lower_bound(points, wanted, {}, &Point::people);
  if (after == points.end()) return points.back().gain / points.back().people;
  if (after == points.begin()) return 0;
  const Point& b = *after;
  const Point& a = *std::prev(after);
  const double part = (wanted - a.people) / (b.people - a.people);
  return line_between(a.gain, b.gain, part) / wanted;
}

absl::StatusOr<UpliftCurve> uplift_curve(const ScoredOutcomes& people) {
  VITRINE_RETURN_IF_ERROR(check(people));
  return curve_of(people, by_falling_score(people.scores), {});
}

absl::StatusOr<CurveIntervals> curve_intervals(const ScoredOutcomes& people,
                                               const BootstrapOptions& options) {
  VITRINE_RETURN_IF_ERROR(check(people));
  const std::vector<std::uint32_t> order = by_falling_score(people.scores);
  const std::array<double, k_measures> here = measures_of(curve_of(people, order, {}));
  std::vector<std::array<double, k_measures>> draws(options.resamples);
  for_each_piece(options.resamples, options.threads, [&](std::size_t draw) {
    Random random(mix64(options.seed + mix64(draw)));
    std::vector<std::uint16_t> counts(order.size());
    for (std::size_t i = 0; i < counts.size(); ++i) ++counts[random.below(counts.size())];
    draws[draw] = measures_of(curve_of(people, order, counts));
  });
  std::array<Interval, k_measures> intervals;
  for (std::size_t m = 0; m < k_measures; ++m) {
    std::vector<double> values(draws.size());
    for (std::size_t draw = 0; draw < draws.size(); ++draw) values[draw] = draws[draw][m];
    intervals[m] = percentile_interval(here[m], values, options.level);
  }
  return CurveIntervals{.qini_area = intervals[0],
                        .gain_area = intervals[1],
                        .uplift_at_10 = intervals[2],
                        .uplift_at_30 = intervals[3]};
}

}  // namespace vitrine::training
