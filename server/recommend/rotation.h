// What a person was shown lately and left alone sinks, and comes back with time.
//
// A candidate's score is multiplied by 0.8^n, n its impressions of the last 14 days since the
// person last did anything with it, each counted 0.5^(age / 3 days): impression discounting by
// count and age (Lee et al., "Modeling Impression Discounting in Large-scale Recommender Systems",
// KDD 2014). What was served and never reported as seen does not count. Thread-safety: one request,
// one thread.
#pragma once

#include <vector>

#include "server/recommend/context.h"
#include "server/recommend/pool.h"

namespace vitrine::recommend {

class Rotation {
 public:
  static constexpr float k_kept = 0.8F;  // of a score, by one impression
  static constexpr TimeMs k_half_life_ms = 3 * k_day_ms;
  static constexpr TimeMs k_window_ms = 14 * k_day_ms;

  // Knows of nothing where the placement does not rotate, or the person is not known.
  explicit Rotation(const Context& context);

  float factor_of(ProductNumber product) const;
  // Multiplies scores by their factors. After Pool::sort().
  void rescore(Pool& pool) const;

 private:
  struct Ignored {
    ProductNumber product;
    float factor;
  };
  std::vector<Ignored> ignored_;  // by product
};

}  // namespace vitrine::recommend
