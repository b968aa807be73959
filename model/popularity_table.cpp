#include "model/popularity_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace vitrine {

absl::StatusOr<PopularityTable> PopularityTable::create(std::vector<float> weights) {
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (!std::isfinite(weights[row]) || weights[row] < 0) {
      return invalid_argument("popularity of row {} must be finite and not negative, got {}", row,
                              weights[row]);
    }
  }
  PopularityTable table;
  table.ranking_.resize(weights.size());
  std::iota(table.ranking_.begin(), table.ranking_.end(), 0U);
  std::stable_sort(table.ranking_.begin(), table.ranking_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return weights[a] > weights[b]; });
  table.weights_ = std::move(weights);
  return table;
}

float PopularityTable::weight(std::uint32_t row) const {
  CHECK(row < weights_.size(), "a row of the popularity table");
  return weights_[row];
}

}  // namespace vitrine
