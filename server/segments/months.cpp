#include "server/segments/months.h"

#include <algorithm>

namespace vitrine::segments {
namespace {

// The beginning of the month that `time_ms` is in.
TimeMs month_of(TimeMs time_ms) {
  return parse_time(format_time(time_ms).substr(0, 7) + "-01").value_or(0);  // 2026-11
}

}  // namespace

std::vector<TimeMs> bounds_of_months(TimeMs as_of_ms, std::size_t count) {
  std::vector<TimeMs> bounds = {as_of_ms};
  for (std::size_t i = 0; i < count; ++i) bounds.push_back(month_of(bounds.back() - 1));
  std::ranges::reverse(bounds);
  return bounds;
}

}  // namespace vitrine::segments
