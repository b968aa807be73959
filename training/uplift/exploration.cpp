#include "training/uplift/exploration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/status.h"

namespace vitrine::training {

absl::Status check(const ExplorationOptions& options) {
  if (!(options.gamma >= 0 && options.gamma <= ExplorationOptions::k_gamma_max)) {
    return invalid_argument("gamma must be from 0 to {:g}, got {}", ExplorationOptions::k_gamma_max,
                            options.gamma);
  }
  if (options.shortlist == 0) return invalid_argument("shortlist must hold at least 1 offer");
  const double floors = options.floor * (options.shortlist + 1.0);
  if (!(options.floor > 0 && floors <= 0.5)) {
    return invalid_argument("floor must be above 0 and at most {:g} for {} offers and none, got {}",
                            0.5 / (options.shortlist + 1.0), options.shortlist, options.floor);
  }
  return absl::OkStatus();
}

std::vector<std::uint32_t> shortlist_of(std::span<const double> values,
                                        const ExplorationOptions& options) {
  std::vector<std::uint32_t> places(values.size());
  std::iota(places.begin(), places.end(), 0U);
  const std::size_t kept = std::min<std::size_t>(options.shortlist, places.size());
  const auto middle = places.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(places.begin(), middle, places.end(), [&](std::uint32_t a, std::uint32_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  places.resize(kept);
  return places;
}

std::vector<double> propensities_of(std::span<const double> values,
                                    const ExplorationOptions& options) {
  CHECK(!values.empty() && values.size() <= options.shortlist + std::size_t{1},
        "as many arms as the shortlist and none");
  const auto best = static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
  const auto arms = static_cast<double>(values.size());
  std::vector<double> propensities(values.size());
  double others = 0;
  for (std::size_t arm = 0; arm < values.size(); ++arm) {
    if (arm == best) continue;
    propensities[arm] = 1 / (arms + options.gamma * (values[best] - values[arm]));
    others += propensities[arm];
  }
  propensities[best] = 1 - others;
  const double values_share = 1 - options.floor * arms;
  for (double& propensity : propensities) propensity = values_share * propensity + options.floor;
  return propensities;
}

std::uint32_t drawn_arm(std::span<const double> propensities, double chance) {
  double sum = 0;
  for (std::uint32_t arm = 0; arm + 1 < propensities.size(); ++arm) {
    sum += propensities[arm];
    if (chance < sum) return arm;
  }
  return static_cast<std::uint32_t>(propensities.size() - 1);
}

double gamma_after(std::uint64_t decisions, std::uint32_t arms, double value_scale) {
  CHECK(value_scale > 0, "a scale of values");
  const double learnt = std::sqrt(static_cast<double>(decisions) * arms);
  return std::min(ExplorationOptions::k_gamma_max, learnt / value_scale);
}

}  // namespace vitrine::training
