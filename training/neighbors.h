// Which products go with which: by the orders that hold both, and by the sessions in which both
// were looked at. Those alike by their factors are found by similar_products.h.
//
// Rows of the answers are numbers of the data set. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "model/neighbor_table.h"
#include "training/dataset.h"

namespace vitrine::training {

struct NeighborOptions {
  std::uint32_t similar_max = 50;          // neighbours kept a product
  std::uint32_t together_max = 50;         // the same, bought together
  std::uint32_t together_support_min = 3;  // orders that hold both; fewer is chance
  double together_false_share = 0.05;  // of the pairs told, those that are chance; 1: all are told
  std::uint32_t order_products_max =
      200;  // larger orders are stock-taking and say nothing about pairs

  std::uint32_t viewed_max = 50;          // neighbours kept a product, looked at beside it
  std::uint32_t viewed_support_min = 2;   // sessions that hold both
  std::uint32_t viewed_window = 10;       // views between the two, at most
  std::uint32_t session_views_max = 200;  // longer sessions are machines
  double viewed_half_life_days = 30;      // old sessions count less; 0: the same
};

using NeighborLists = std::vector<std::vector<RelatedProduct>>;

// Pairs seen more often than chance (lift above 1), by falling log-likelihood ratio (Dunning 1993),
// which asks for both a high lift and enough orders to believe it. So many pairs are looked at that
// some are frequent by chance: Benjamini and Hochberg's bound (1995) on the ratio's p-values, over
// all pairs of products with enough orders, keeps the share of those among the told ones small.
NeighborLists products_bought_together(const SparseRows& orders, std::size_t product_count,
                                       const NeighborOptions& options);

// Pairs looked at in the same session and not too far from each other: the cosine of the two
// products' sessions, recent ones counting more. `until_ms` is when a session counts as 1.
NeighborLists products_viewed_together(const SessionViews& views, std::size_t product_count,
                                       TimeMs until_ms, const NeighborOptions& options);

}  // namespace vitrine::training
