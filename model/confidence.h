// How sure events make us that somebody wants a product: the same rule in training and for live
// vectors.
//
// Confidence of a pair = sum over its events of weight(type) * 0.5^(age / half-life), capped,
// divided by the mean over the pairs the model was trained on, so that lambda and alpha0 keep their
// meaning whatever the weights are. Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <array>

#include "base/clock.h"
#include "model/event.h"

namespace vitrine {

struct ConfidenceRule {
  std::array<float, k_event_type_count> weights{};  // by event type; 0 for what says nothing
  double half_life_days = 90;                       // 0: age does not count
  float cap = 100;                                  // of a pair's sum, in the unit of the weights
  double mean = 1;                                  // of the capped sums over the training pairs

  // The weights of model/event.h.
  static ConfidenceRule defaults();

  float weight(EventType type) const { return weights[static_cast<std::size_t>(type)]; }

  // 0.5^(age / half-life); an age below 0 counts as 0.
  double decay(TimeMs age_ms) const;

  // c of the objective, from a pair's sum of weight * decay.
  float confidence(double sum) const;
};

// InvalidArgument, naming the field, unless all weights, the half-life and the cap are finite and
// in range.
absl::Status validate(const ConfidenceRule& rule);

}  // namespace vitrine
