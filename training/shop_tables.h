// What is learnt about products without factors: what is popular where, and when it is bought
// again.
//
// Products are given as rows of a model: `order` holds, by row, their numbers in the data set.
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/buy_again_table.h"
#include "model/popular_lists.h"
#include "model/product.h"
#include "training/dataset.h"

namespace vitrine::training {

struct ShopTableOptions {
  std::uint32_t popular_max = 200;          // products kept a category or market
  std::uint32_t product_repeats_min = 5;    // gaps that a product's median needs
  std::uint32_t category_repeats_min = 20;  // the same of a category, and of the shop
  std::uint32_t category_pairs_min = 100;   // people with a product that a repeat share needs
};

// Description of each row; null where the catalog has none.
using Descriptions = std::vector<const Product*>;

// Hidden products are taken as not described. `catalog` outlives the answer.
Descriptions described_rows(const Dataset& data, std::span<const std::uint32_t> order,
                            std::span<const Product> catalog);

// Every path and each of its ancestors, with all products below it.
absl::StatusOr<PopularLists> popular_in_categories(const Dataset& data,
                                                   std::span<const std::uint32_t> order,
                                                   const Descriptions& descriptions,
                                                   const ShopTableOptions& options);

absl::StatusOr<PopularLists> popular_in_markets(const Dataset& data,
                                                std::span<const std::uint32_t> order,
                                                const ShopTableOptions& options);

// Median days between two orders of one person, of products, of categories and of the shop where
// there are enough of them, and how many come back at all.
absl::StatusOr<BuyAgainTable> buy_again_intervals(const Dataset& data,
                                                  std::span<const std::uint32_t> order,
                                                  const Descriptions& descriptions,
                                                  const ShopTableOptions& options);

}  // namespace vitrine::training
