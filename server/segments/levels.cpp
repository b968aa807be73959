#include "server/segments/levels.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/status.h"
#include "server/expressions/schema.h"

namespace vitrine::segments {
namespace {

using profiles::OrderSum;

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_one = error == std::errc() && end == text.data() + text.size();
  return is_one && std::isfinite(number) ? std::optional<double>(number) : std::nullopt;
}

absl::StatusOr<LevelRules::Level> parse_level(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  const std::optional<double> spend = number_in(text.substr(std::min(colon + 1, text.size())));
  if (name.empty() || name.size() > LevelRules::k_name_bytes_max || !spend || *spend <= 0) {
    return invalid_argument(
        "a level must be a name of 1 to {} bytes and the spend from which on it holds, above 0, as "
        "in silver:200, got '{}'",
        LevelRules::k_name_bytes_max, text.substr(0, 100));
  }
  return LevelRules::Level{.name = std::string(name), .spend = *spend};
}

// Of the twelve months that end at `end_ms`.
double spend_until(std::span<const OrderSum> orders, std::uint32_t currency, TimeMs end_ms) {
  double minor = 0;
  for (const OrderSum& order : orders) {
    const bool is_in = order.time_ms <= end_ms && order.time_ms > end_ms - LevelRules::k_window_ms;
    if (is_in && order.net.currency == currency) minor += static_cast<double>(order.net.minor);
  }
  return minor;
}

}  // namespace

absl::StatusOr<std::vector<LevelRules::Level>> parse_levels(std::string_view text) {
  std::vector<LevelRules::Level> levels;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    VITRINE_ASSIGN_OR_RETURN(LevelRules::Level level, parse_level(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (!levels.empty() && level.spend <= levels.back().spend) {
      return invalid_argument("levels must ascend: {} begins at {}, {} before it at {}", level.name,
                              level.spend, levels.back().name, levels.back().spend);
    }
    levels.push_back(std::move(level));
  }
  if (levels.size() > LevelRules::k_levels_max) {
    return invalid_argument("there may be at most {} levels, got {}", LevelRules::k_levels_max,
                            levels.size());
  }
  return levels;
}

// Spend rises with orders alone: it was highest at one of those within the grace, or at its
// beginning. What it was then lasts for the grace after the first of its orders left the window.
Level level_of(std::span<const OrderSum> orders, std::uint32_t currency, double unit,
               const LevelRules& rules, TimeMs now_ms) {
  Level level{.changes_at_ms = expressions::k_never_ms};
  if (rules.levels.empty()) return level;
  const TimeMs grace_ms = rules.grace_days * k_day_ms;
  double most = std::max(spend_until(orders, currency, now_ms - grace_ms),
                         spend_until(orders, currency, now_ms));
  for (const OrderSum& order : orders) {
    if (order.time_ms > now_ms - grace_ms && order.time_ms <= now_ms) {
      most = std::max(most, spend_until(orders, currency, order.time_ms));
    }
    const TimeMs leaves_ms = order.time_ms + LevelRules::k_window_ms + grace_ms;
    if (leaves_ms > now_ms) level.changes_at_ms = std::min(level.changes_at_ms, leaves_ms);
  }
  for (const LevelRules::Level& rule : rules.levels) {
    if (most / unit >= rule.spend) level.name = rule.name;
  }
  return level;
}

}  // namespace vitrine::segments
