// What is known about a candidate beside the places that the sources gave it.
//
// Thread-safety: used by one request, on one thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"
#include "server/recommend/round_table.h"

namespace vitrine::recommend {

// In the order of their values; the names stand in models and never change their meaning. Each is
// about 0 to 3 and 0 where nothing is known.
constexpr std::array<std::string_view, 19> k_feature_names = {
    "own",          // 1 for what the person bought and did not give back
    "own_orders",   // log2(1 + n), n the orders of the person with this product
    "own_recent",   // ln(1 + sum over them of 0.5^(days since / 60))
    "own_lately",   // likewise with 14 days
    "own*popular",  // products of two of the others
    "own*popularity",
    "own*person_orders",
    "own_orders*popular",
    "own_orders*popularity",
    "own_orders*person_orders",
    "own_recent*popular",
    "own_recent*popularity",
    "own_recent*person_orders",
    "popularity",     // scaled weight of the model's popularity, when it was trained
    "popular",        // scaled weight in the list of these weeks, now
    "trending",       // scaled weight in the list of these days, now
    "newness",        // 0.5^(days in the catalog / 30)
    "person_orders",  // log2(1 + orders of the person): the same for all candidates
    "is_known"        // 1 for a product the model was trained on
};
// A weight w of a list is scaled to log2(1 + 1023 w / w_max) / 10, from 0 to 1. The first features
// are about what the person bought of the product, and 0 for all else.
constexpr std::size_t k_own_features = 13;
using Features = std::array<float, k_feature_names.size()>;

// The scaled weights of a list by product, kept while the list stays the same. One thread.
class WeightsByProduct {
 public:
  using List = std::vector<profiles::PopularProduct>;
  void read(std::shared_ptr<const List> list);
  float of(ProductNumber product) const {
    const float* const weight = weights_.find(product.value());
    return weight == nullptr ? 0 : *weight;
  }

 private:
  std::shared_ptr<const List> list_;
  RoundTable<float> weights_;
};

class FeatureReader {
 public:
  explicit FeatureReader(const Context& context);
  Features read(ProductNumber product) const;

 private:
  // After the others, which it multiplies.
  void read_own(const profiles::Bought& bought, Features& features) const;

  const Context& context_;
  float person_orders_ = 0;
  float popularity_scale_ = 0;  // 1 / w_max; 0 without a model
  const WeightsByProduct* popular_;
  const WeightsByProduct* trending_;
};

}  // namespace vitrine::recommend
