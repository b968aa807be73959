#include "server/segments/preview.h"

#include <algorithm>
#include <cmath>

namespace vitrine::segments {

std::pair<double, double> share_interval(std::size_t matched, std::size_t asked) {
  if (asked == 0) return {0, 1};
  constexpr double k_z = 1.959964;
  const auto n = static_cast<double>(asked);
  const double share = static_cast<double>(matched) / n;
  const double scale = 1 + k_z * k_z / n;
  const double middle = (share + k_z * k_z / (2 * n)) / scale;
  const double half = k_z / scale * std::sqrt(share * (1 - share) / n + k_z * k_z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

void conclude(Preview& preview) {
  const auto people = static_cast<double>(preview.people);
  if (preview.is_exact) {
    preview.estimate = static_cast<double>(preview.matched);
    preview.low = preview.high = preview.estimate;
    return;
  }
  if (preview.asked > 0) {
    preview.estimate =
        people * static_cast<double>(preview.matched) / static_cast<double>(preview.asked);
  }
  const auto [low, high] = share_interval(preview.matched, preview.asked);
  preview.low = low * people;
  preview.high = high * people;
}

}  // namespace vitrine::segments
