// How many people an expression would find: of all who are asked, or from a sample.
//
// Thread-safe (values, pure functions).
#pragma once

#include <cstddef>
#include <utility>

#include "base/random.h"
#include "model/ids.h"

namespace vitrine::segments {

struct Preview {
  std::size_t people = 0;   // with a history
  std::size_t asked = 0;    // of those; all when it is exact
  std::size_t matched = 0;  // of the asked
  double estimate = 0;      // of all
  double low = 0;           // with `high`: 95 of 100 such intervals hold the truth
  double high = 0;
  bool is_exact = false;
};

// One person in so many is in the sample, chosen by number.
constexpr std::uint64_t k_sample_one_in = 100;
constexpr bool is_sampled(UserNumber user) { return mix64(user.value()) % k_sample_one_in == 0; }

// Wilson's interval for the share of which `matched` of `asked` is a sample, 95 %.
std::pair<double, double> share_interval(std::size_t matched, std::size_t asked);

// Fills in the estimate from what was counted.
void conclude(Preview& preview);

}  // namespace vitrine::segments
