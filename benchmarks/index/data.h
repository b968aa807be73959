// Product vectors and queries as a trained model has them, without one: clusters of taste, a
// spectrum that falls, norms that do, too.
//
// A row is one of 1,000 cluster centres plus noise as long, dimension j shrunk by 1/sqrt(1 + j/2),
// of log-normal norm; rows lie in order of falling norm, as a model's do. A query mixes one to
// three centres. Seed 1.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/random.h"
#include "index/product_index.h"
#include "index/row_filter.h"

namespace vitrine::index {

struct Data {
  std::size_t row_count;
  std::size_t dimension;
  std::vector<float> rows;
  std::vector<float> queries;

  static constexpr std::size_t k_queries = 64;

  VectorTable table() const { return {rows.data(), row_count, dimension, dimension}; }
  std::span<const float> query(std::size_t number) const {
    return std::span(queries).subspan(number % k_queries * dimension, dimension);
  }
};

// `norm_spread` is the sigma of the norms' logarithm: 0.35 is usual, and 0 gives rows of nearly one
// length, of which no search can leave any out.
Data make_data(std::size_t row_count, std::size_t dimension, double norm_spread);

// Every row is in it with a chance of one in n.
RowFilter one_of(std::size_t n, std::size_t row_count);

}  // namespace vitrine::index
