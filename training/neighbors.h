// Which products go with which: by their factors, and by the orders that hold both.
//
// Rows of the answers are numbers of the data set. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "model/aligned_floats.h"
#include "model/neighbor_table.h"
#include "training/dataset.h"

namespace vitrine::training {

struct NeighborOptions {
  std::uint32_t similar_max = 50;          // neighbours kept a product
  std::uint32_t together_max = 50;         // the same, bought together
  std::uint32_t together_support_min = 3;  // orders that hold both; fewer is chance
  std::uint32_t order_products_max =
      200;  // larger orders are stock-taking and say nothing about pairs
};

using NeighborLists = std::vector<std::vector<RelatedProduct>>;

// Falling cosine of the factors (rows of `stride` floats); products whose factors are 0 have none
// and are nobody's.
NeighborLists similar_products(const AlignedFloats& factors, std::size_t row_count,
                               std::size_t stride, const NeighborOptions& options,
                               unsigned threads);

// Pairs seen more often than chance (lift above 1), by falling log-likelihood ratio (Dunning 1993),
// which asks for both a high lift and enough orders to believe it.
NeighborLists products_bought_together(const SparseRows& orders, std::size_t product_count,
                                       const NeighborOptions& options);

}  // namespace vitrine::training
