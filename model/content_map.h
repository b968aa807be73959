// From what is known of a product to the vector it most likely has: where one that nobody has
// touched yet belongs.
//
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/content_features.h"

namespace vitrine {

class ContentMap {
 public:
  ContentMap() = default;  // knows nothing

  // mean     of the vectors, `dimension` floats, which is what a product without features has
  // weights  a row of `dimension` floats for each feature, added to the mean
  // InvalidArgument: sizes that do not fit, numbers that are not finite.
  static absl::StatusOr<ContentMap> create(ContentFeatures features, std::vector<float> mean,
                                           std::vector<float> weights);

  bool empty() const { return features_.size() == 0; }
  std::size_t dimension() const { return mean_.size(); }
  const ContentFeatures& features() const { return features_; }
  std::span<const float> mean() const { return mean_; }
  std::span<const float> weights() const { return weights_; }

  // False, and nothing written, when none of the product's features is known.
  // vector  dimension() floats
  bool place(const Product& product, std::span<float> vector) const;

 private:
  ContentFeatures features_;
  std::vector<float> mean_;
  std::vector<float> weights_;
};

}  // namespace vitrine
