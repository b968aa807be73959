#include "server/recommend/rotation.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cmath>

namespace vitrine::recommend {

Rotation::Rotation(const Context& context) {
  if (!context.placement.variety.rotates || context.profile == nullptr) return;
  const profiles::Profile& profile = *context.profile;
  if (profile.seen.empty()) return;
  absl::flat_hash_map<ProductNumber, TimeMs> touched_ms;
  for (const profiles::ProfileEvent& event : profile.recent) {
    touched_ms.try_emplace(event.product, event.time_ms);  // newest first: the first one stays
  }
  absl::flat_hash_map<ProductNumber, double> impressions;
  for (const profiles::Seen& seen : profile.seen) {
    const TimeMs age_ms = std::max<TimeMs>(0, context.now_ms - seen.time_ms);
    if (age_ms > k_window_ms) break;
    const auto touched = touched_ms.find(seen.product);
    if (touched != touched_ms.end() && touched->second >= seen.time_ms) continue;
    impressions[seen.product] +=
        std::exp2(-static_cast<double>(age_ms) / static_cast<double>(k_half_life_ms));
  }
  for (const auto& [product, count] : impressions) {
    ignored_.push_back({product, static_cast<float>(std::pow(k_kept, count))});
  }
  std::ranges::sort(ignored_, {}, &Ignored::product);
}

float Rotation::factor_of(ProductNumber product) const {
  const auto found = std::ranges::lower_bound(ignored_, product, {}, &Ignored::product);
  return found != ignored_.end() && found->product == product ? found->factor : 1;
}

void Rotation::rescore(Pool& pool) const {
  if (ignored_.empty()) return;
  pool.rescore([&](const Pool::Entry& entry) { return entry.score * factor_of(entry.product); });
}

}  // namespace vitrine::recommend
