// Learns the content map: ridge regression from what is known of products to their factors.
//
// Thread-safe; starts its own threads. The answer does not depend on their number.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/content_map.h"
#include "model/product.h"

namespace vitrine::training {

struct ContentOptions {
  std::vector<double> lambdas{0.1, 0.3, 1, 3, 10, 30};  // tried on the products left out
  std::uint32_t features_max = 50'000;                  // the most frequent are kept
  std::uint32_t feature_products_min = 2;               // rarer ones say nothing about others
  std::uint32_t price_bands = 8;                        // equally many products each, by currency
  std::uint32_t sample_max = 20'000;                    // products that lambda is chosen by
};

// One product with factors.
struct ContentExample {
  const Product* product;
  std::span<const float> vector;
};

struct ContentOutcome {
  ContentMap map;  // of all examples; empty when there is nothing to learn from
  double lambda = 0;
  // Of the products left out, one in ten, when lambda was chosen: the share of their variance that
  // is explained (0: none, as by the mean), and the mean cosine of vector and prediction.
  double r2 = 0;
  double cosine = 0;
  std::size_t held_out = 0;
};

// Fewer than 20 examples, or none with a feature, make an empty map. InvalidArgument: options out
// of range, vectors of different lengths.
absl::StatusOr<ContentOutcome> learn_content_map(std::span<const ContentExample> examples,
                                                 const ContentOptions& options, unsigned threads);

}  // namespace vitrine::training
