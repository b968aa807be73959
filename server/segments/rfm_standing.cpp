#include "server/segments/rfm_standing.h"

#include <algorithm>

namespace vitrine::segments {

RfmStanding standing_at(TimeMs first_seen_ms, std::span<const profiles::OrderSum> orders,
                        TimeMs time_ms) {
  const auto end = std::ranges::lower_bound(orders, time_ms, {}, &profiles::OrderSum::time_ms);
  const std::span<const profiles::OrderSum> before(orders.begin(), end);
  return {.is_known = first_seen_ms < time_ms,
          .orders = static_cast<std::uint32_t>(before.size()),
          .figures = rfm_figures(before, time_ms)};
}

std::size_t group_of(const RfmStanding& standing, const RfmBounds& bounds) {
  std::string_view name = k_prospects;
  if (standing.figures)
    name = rfm_group_of(*rfm_scores(*standing.figures, bounds), standing.orders);
  const auto groups = rfm_groups();
  return static_cast<std::size_t>(std::ranges::find(groups, name, &RfmGroup::name) -
                                  groups.begin());
}

}  // namespace vitrine::segments
