// The inner product of two vectors of any length.
//
// For spans without padding; the padded rows of a model have model/vector_kernels.h.
// Thread-safe (pure).
#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <span>

namespace vitrine::recommend {

// Eight sums that do not wait for one another. Precondition: equal lengths.
inline float dot(std::span<const float> a, std::span<const float> b) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

}  // namespace vitrine::recommend
