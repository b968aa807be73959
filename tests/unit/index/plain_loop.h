// The slow twin of every index: one loop over all rows, one sort. And vectors to try both on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "index/product_index.h"
#include "index/row_filter.h"

namespace vitrine::index {

struct Vectors {
  std::size_t dimension = 0;
  std::vector<float> values;

  std::size_t row_count() const { return values.size() / dimension; }
  VectorTable table() const { return {values.data(), row_count(), dimension, dimension}; }
};

inline std::vector<Neighbor> plain_search(const Vectors& vectors, std::span<const float> query,
                                          std::size_t k, const RowFilter& allowed) {
  std::vector<Neighbor> found;
  for (std::size_t row = 0; row < vectors.row_count(); ++row) {
    if (!allowed.contains(static_cast<std::uint32_t>(row))) continue;
    double score = 0;
    for (std::size_t j = 0; j < vectors.dimension; ++j) {
      score += static_cast<double>(query[j]) *
               static_cast<double>(vectors.values[row * vectors.dimension + j]);
    }
    found.push_back({static_cast<std::uint32_t>(row), static_cast<float>(score)});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Neighbor& a, const Neighbor& b) { return a.score > b.score; });
  found.resize(std::min(found.size(), k));
  return found;
}

// Small whole numbers: every product and sum is exact in single precision, and equal scores are
// frequent.
inline Vectors whole_number_vectors(std::size_t row_count, std::size_t dimension, Random& random) {
  Vectors vectors{dimension, std::vector<float>(row_count * dimension)};
  for (float& value : vectors.values) value = static_cast<float>(random.below(7)) - 3.0F;
  return vectors;
}

inline Vectors normal_vectors(std::size_t row_count, std::size_t dimension, Random& random) {
  Vectors vectors{dimension, std::vector<float>(row_count * dimension)};
  for (float& value : vectors.values) value = static_cast<float>(random.normal());
  return vectors;
}

// Every row is in it with this probability.
inline RowFilter random_filter(std::size_t row_count, double share, Random& random) {
  RowFilter filter = RowFilter::none(row_count);
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (random.uniform() < share) filter.set(row);
  }
  return filter;
}

}  // namespace vitrine::index
