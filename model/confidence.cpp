#include "model/confidence.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace vitrine {

ConfidenceRule ConfidenceRule::defaults() {
  ConfidenceRule rule;
  for (const EventType type : all_event_types())
    rule.weights[static_cast<std::size_t>(type)] = default_weight(type);
  return rule;
}

double ConfidenceRule::decay(TimeMs age_ms) const {
  if (half_life_days <= 0 || age_ms <= 0) return 1;
  return std::exp2(-static_cast<double>(age_ms) / (half_life_days * static_cast<double>(k_day_ms)));
}

float ConfidenceRule::confidence(double sum) const {
  return static_cast<float>(std::min(sum, static_cast<double>(cap)) / mean);
}

absl::Status validate(const ConfidenceRule& rule) {
  for (const EventType type : all_event_types()) {
    const float weight = rule.weight(type);
    if (!(weight >= 0 && weight <= 1e6F)) {
      return invalid_argument("weight of {} must be between 0 and 1000000, got {}", name_of(type),
                              weight);
    }
  }
  if (!(rule.half_life_days >= 0 && rule.half_life_days <= 36500)) {
    return invalid_argument("half_life_days must be between 0 (off) and 36500, got {}",
                            rule.half_life_days);
  }
  if (!(rule.cap > 0 && rule.cap <= 1e9F)) {
    return invalid_argument("confidence cap must be above 0 and at most 1e9, got {}", rule.cap);
  }
  if (!(rule.mean > 0 && std::isfinite(rule.mean))) {
    return invalid_argument("confidence mean must be finite and above 0, got {}", rule.mean);
  }
  return absl::OkStatus();
}

}  // namespace vitrine
