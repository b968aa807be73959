#include "training/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/random.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

// Linear between the two neighbours in order; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  return sorted[below] * (1 - part) + sorted[above] * part;
}

}  // namespace

std::vector<Interval> bootstrap_means(std::span<const std::span<const float>> series,
                                      const BootstrapOptions& options) {
  std::vector<Interval> intervals(series.size());
  if (series.empty() || series.front().empty()) return intervals;
  const std::size_t users = series.front().size();
  const std::size_t width = series.size();
  // User by user, so that one draw touches one place of memory.
  std::vector<float> rows(users * width);
  for (std::size_t s = 0; s < width; ++s) {
    CHECK(series[s].size() == users, "series of one length");
    double sum = 0;
    for (std::size_t user = 0; user < users; ++user) {
      rows[user * width + s] = series[s][user];
      sum += series[s][user];
    }
    intervals[s].mean = sum / static_cast<double>(users);
  }

  std::vector<std::vector<double>> means(width, std::vector<double>(options.resamples));
  for_each_piece(options.resamples, options.threads, [&](std::size_t resample) {
    Random random(mix64(options.seed + mix64(resample)));
    std::vector<double> sums(width);
    for (std::size_t draw = 0; draw < users; ++draw) {
      const float* row = rows.data() + random.below(users) * width;
      for (std::size_t s = 0; s < width; ++s) sums[s] += row[s];
    }
    for (std::size_t s = 0; s < width; ++s)
      means[s][resample] = sums[s] / static_cast<double>(users);
  });
  for (std::size_t s = 0; s < width; ++s)
    intervals[s] = percentile_interval(intervals[s].mean, means[s], options.level);
  return intervals;
}

Interval percentile_interval(double mean, std::vector<double>& drawn, double level) {
  if (drawn.empty()) return {mean, mean, mean};
  std::sort(drawn.begin(), drawn.end());
  const double tail = (1 - level) / 2;
  return {mean, quantile(drawn, tail), quantile(drawn, 1 - tail)};
}

std::vector<float> differences(std::span<const float> a, std::span<const float> b) {
  CHECK(a.size() == b.size(), "pairs of numbers");
  std::vector<float> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

}  // namespace vitrine::training
