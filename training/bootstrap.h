// How sure a mean over users is: percentile intervals of the bootstrap (Efron 1979).
//
// All series are drawn together, user by user, so that a series of differences gives the paired
// comparison of two rankings. The same seed gives the same interval. Thread-safe; starts its own
// threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::training {

struct Interval {
  double mean = 0;  // of the sample itself, not of the draws
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  std::uint32_t resamples = 1000;
  double level = 0.95;
  std::uint64_t seed = 1;
  unsigned threads = 0;  // 0: one a core
};

// series  all of one length, one number a user; an empty series gives zeros
// Returns one interval a series, in their order.
std::vector<Interval> bootstrap_means(std::span<const std::span<const float>> series,
                                      const BootstrapOptions& options = {});

// The middle `level` of what was drawn, around `mean`; nothing drawn gives no width.
Interval percentile_interval(double mean, std::vector<double>& drawn, double level);

// a - b, number by number. Precondition, checked: equal lengths.
std::vector<float> differences(std::span<const float> a, std::span<const float> b);

}  // namespace vitrine::training
