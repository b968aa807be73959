// Recency, frequency and monetary value: five scores each, and what groups of them are called.
//
// Scores are quintiles among buyers; equal values have equal scores, so a quintile is off by its
// ties at most. The bounds between scores are made once for everybody and then hold, or people
// would change groups when nobody bought. Thread-safe (values, pure functions).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/profiles/profile.h"

namespace vitrine::segments {

constexpr TimeMs k_rfm_window_ms = 365 * k_day_ms;

// Of somebody who bought something and kept it.
struct RfmFigures {
  double recency_days = 0;  // whole days since the latest order
  double frequency = 0;     // orders of the latest 365 days
  double monetary = 0;      // what they came to, net, in minor units
};

// Nothing without an order. `orders` is oldest first; those after `now_ms` count as of now.
std::optional<RfmFigures> rfm_figures(std::span<const profiles::OrderSum> orders, TimeMs now_ms);

// The values at 20, 40, 60 and 80 % of the buyers.
struct RfmBounds {
  std::array<double, 4> recency_days{};
  std::array<double, 4> frequency{};
  std::array<double, 4> monetary{};
  TimeMs as_of_ms = 0;
  std::size_t buyers = 0;  // 0: nobody can be scored
  friend bool operator==(const RfmBounds&, const RfmBounds&) = default;
};
RfmBounds rfm_bounds(const std::vector<RfmFigures>& buyers, TimeMs as_of_ms);

struct RfmScores {  // 1 to 5, 5 is best
  int recency = 0;
  int frequency = 0;
  int monetary = 0;
  friend bool operator==(const RfmScores&, const RfmScores&) = default;
};
// Nothing when there are no bounds.
std::optional<RfmScores> rfm_scores(const RfmFigures& figures, const RfmBounds& bounds);

// What marketing calls them.
struct RfmGroup {
  std::string_view name;
  std::string_view meaning;
};
// champions, loyal, new, promising, at_risk, almost_lost, dormant, prospects.
std::span<const RfmGroup> rfm_groups();
constexpr std::string_view k_prospects = "prospects";  // who has no order
std::string_view rfm_group_of(const RfmScores& scores, std::size_t orders_ever);

// The view with eight cells: each of the three is high (3 and more) or low.
struct RfmCell {
  std::string_view name;     // key_value, develop, ...
  std::string_view chinese;  // as Chinese marketing names it
};
std::span<const RfmCell> rfm_cells();
const RfmCell& rfm_cell_of(const RfmScores& scores);

}  // namespace vitrine::segments
