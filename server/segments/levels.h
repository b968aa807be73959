// What a shop calls those who spend much: levels by the net spend of twelve months.
//
// Whoever reaches a level keeps it for the days of grace after their spend fell below it. Thread-
// safe (values, pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/profiles/profile.h"

namespace vitrine::segments {

struct LevelRules {
  static constexpr std::size_t k_levels_max = 10;
  static constexpr std::size_t k_name_bytes_max = 64;
  static constexpr TimeMs k_window_ms = 365 * k_day_ms;
  static constexpr int k_grace_days_max = 365;

  struct Level {
    std::string name;
    double spend = 0;  // from so much on, in the person's own currency
    friend bool operator==(const Level&, const Level&) = default;
  };
  std::vector<Level> levels = {};  // ascending; none: nobody has a level
  int grace_days = 30;
};

// "silver:200,gold:1000". InvalidArgument says what is wrong with it.
absl::StatusOr<std::vector<LevelRules::Level>> parse_levels(std::string_view text);

struct Level {
  std::string_view name = {};  // empty: none
  TimeMs changes_at_ms = 0;    // when it can be a lower one by itself
};
// `orders` are oldest first; `unit`: minor units in one of the currency, amounts of others do not
// count.
Level level_of(std::span<const profiles::OrderSum> orders, std::uint32_t currency, double unit,
               const LevelRules& rules, TimeMs now_ms);

}  // namespace vitrine::segments
