#include "model/content_map.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace vitrine {
namespace {

bool are_finite(std::span<const float> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace

absl::StatusOr<ContentMap> ContentMap::create(ContentFeatures features, std::vector<float> mean,
                                              std::vector<float> weights) {
  if (weights.size() != features.size() * mean.size()) {
    return invalid_argument("{} content weights are not {} rows of {}", weights.size(),
                            features.size(), mean.size());
  }
  if (!are_finite(mean) || !are_finite(weights))
    return invalid_argument("content weights must be finite");
  ContentMap map;
  map.features_ = std::move(features);
  map.mean_ = std::move(mean);
  map.weights_ = std::move(weights);
  return map;
}

bool ContentMap::place(const Product& product, std::span<float> vector) const {
  const std::vector<ContentValue> values = features_.of(product);
  if (values.empty()) return false;
  CHECK(vector.size() == dimension(), "a vector of the map's dimension");
  std::copy(mean_.begin(), mean_.end(), vector.begin());
  for (const ContentValue& one : values) {
    const float* row = weights_.data() + one.feature * dimension();
    for (std::size_t i = 0; i < vector.size(); ++i) vector[i] += one.value * row[i];
  }
  return true;
}

}  // namespace vitrine
