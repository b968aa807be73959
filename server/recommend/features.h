// What is known about a candidate beside the places that the sources gave it.
//
// Thread-safety: used by one request, on one thread.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"
#include "server/recommend/round_table.h"

namespace vitrine::recommend {

// In the order of their values; the names stand in models and never change their meaning. Each is
// about 0 to 3 and 0 where nothing is known.
constexpr std::array<std::string_view, 12> k_feature_names = {
    "own_orders",      // log2(1 + n), n the order lines of this product by this person, refunds off
    "own_rate",        // n per order of the person, at most 1
    "own_recency",     // 0.5^(days since the last of them / 30)
    "own_recency_90",  // 0.5^(days since the last of them / 90)
    "own_due",         // 1 when its repurchase interval is just over, less before and after
    "popularity",      // scaled weight of the model's popularity, when it was trained
    "popular",         // scaled weight in the list of these weeks, now
    "trending",        // scaled weight in the list of these days, now
    "price_fit",       // |ln(price / the person's typical price)|, at most 3
    "newness",         // 0.5^(days in the catalog / 30)
    "person_orders",   // log2(1 + orders of the person): the same for all candidates
    "is_known"         // 1 for a product the model was trained on
};
// A weight w of a list is scaled to log2(1 + 1023 w / w_max) / 10, from 0 to 1. The first features
// are about what the person bought of the product.
constexpr std::size_t k_own_features = 5;
using Features = std::array<float, k_feature_names.size()>;

// The weights of a list by product, kept while the list stays the same. One thread.
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
  void read_own(ProductNumber product, Features& features) const;

  const Context& context_;
  float orders_ = 0;
  float popularity_scale_ = 0;  // 1 / w_max; 0 without a model
  const WeightsByProduct* popular_;
  const WeightsByProduct* trending_;
  std::optional<float> typical_price_;  // ln of minor units, the mean over the interests
};

}  // namespace vitrine::recommend
