#include "server/audiences/auc.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vitrine::audiences {
namespace {

std::vector<float> sorted(std::span<const float> values) {
  std::vector<float> copy(values.begin(), values.end());
  std::ranges::sort(copy);
  return copy;
}

// For each value the share of `others` (sorted) below it, ties half.
std::vector<double> shares_below(std::span<const float> values, const std::vector<float>& others) {
  std::vector<double> shares;
  shares.reserve(values.size());
  for (const float value : values) {
    const auto [low, high] = std::ranges::equal_range(others, value);
    const auto below = static_cast<double>(low - others.begin());
    const auto ties = static_cast<double>(high - low);
    shares.push_back((below + ties / 2) / static_cast<double>(others.size()));
  }
  return shares;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double variance_of_mean(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  const auto count = static_cast<double>(values.size());
  return sum / (count - 1) / count;
}

}  // namespace

Auc auc_of(std::span<const float> positives, std::span<const float> negatives) {
  if (positives.size() < 2 || negatives.size() < 2) return {};
  constexpr double k_95_percent = 1.959964;
  const std::vector<double> of_positives = shares_below(positives, sorted(negatives));
  const std::vector<double> of_negatives = shares_below(negatives, sorted(positives));
  Auc auc{.value = mean_of(of_positives)};
  const double error =
      k_95_percent * std::sqrt(variance_of_mean(of_positives) + variance_of_mean(of_negatives));
  auc.low = std::max(0.0, auc.value - error);
  auc.high = std::min(1.0, auc.value + error);
  return auc;
}

}  // namespace vitrine::audiences
