// How well a score tells two groups apart, and how sure that is.
//
// Pure function; thread-safe.
#pragma once

#include <span>

namespace vitrine::audiences {

struct Auc {
  double value = 0.5;  // the chance that one of the first group scores above one of the other
  double low = 0;      // with `high`: 95 of 100 such intervals hold the truth
  double high = 1;
};

// Ties count half; the interval is DeLong's (1988). Without two people in each group nothing is
// known.
Auc auc_of(std::span<const float> positives, std::span<const float> negatives);

}  // namespace vitrine::audiences
