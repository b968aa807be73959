// How well scores put those first whom an offer moves: Qini and uplift curves with their areas.
//
// With Yt, Yc the outcomes and Nt, Nc the people of both groups among the k best scores,
//   Q(k) = Yt - Yc Nt/Nc            the Qini curve (Radcliffe 2007)
//   U(k) = (Yt/Nt - Yc/Nc) k        the uplift (gain) curve
// A curve has points at distinct scores only, so that the order of equal scores cannot matter, and
// is straight between them; it is held against the straight line to its own end, which is what
// scores that know nothing give on average. Where one group is missing among the first, there is no
// point yet. Thread-safe (pure functions); the bootstrap starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "training/bootstrap.h"

namespace vitrine::training {

// One number a person in each; all of one length.
struct ScoredOutcomes {
  std::span<const double> scores;  // larger is offered first
  std::span<const std::uint8_t> treated;
  std::span<const double> outcomes;
};

struct UpliftCurve {
  struct Point {
    double people = 0;  // k
    double qini = 0;
    double gain = 0;
  };
  std::vector<Point> points;  // from (0, 0, 0), by falling score

  // Areas over the share of people, less the straight line's, in outcomes: 0 for chance.
  double qini_area = 0;
  double gain_area = 0;
  // The usual coefficients, mean_k Q(k)/Q(n) - 1/2 and mean_k U(k)/U(n), where chance gives 0 and
  // 1/2. Absent while the whole effect is within two standard errors of 0: dividing by it would
  // show noise. Above 1 or below 0 is no mistake: some people are moved the other way.
  std::optional<double> qini;
  std::optional<double> auuc;

  // U(k)/k among the best `share` of the people; between two points, on the straight line.
  // Precondition: 0 < share <= 1.
  double uplift_at(double share) const;
};

// InvalidArgument: lengths that differ, a number that is not finite, or a group without people.
absl::StatusOr<UpliftCurve> uplift_curve(const ScoredOutcomes& people);

struct CurveIntervals {
  Interval qini_area;
  Interval gain_area;
  Interval uplift_at_10;  // % of the people
  Interval uplift_at_30;
};

// Percentile intervals over people drawn with replacement. Errors as uplift_curve.
absl::StatusOr<CurveIntervals> curve_intervals(const ScoredOutcomes& people,
                                               const BootstrapOptions& options = {
                                                   .resamples = 200});

}  // namespace vitrine::training
