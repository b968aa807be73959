#include "base/clock.h"

#include <absl/time/time.h>

#include <charconv>
#include <chrono>

#include "base/status.h"

namespace vitrine {
namespace {
constexpr TimeMs k_latest_ms = 7'258'118'400'000;  // 2200-01-01
}  // namespace

TimeMs SystemClock::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::StatusOr<TimeMs> parse_time(std::string_view text) {
  const auto refused = [&] {
    return invalid_argument(
        "'{}' is not a time: use RFC 3339 (2026-11-21T10:00:00Z), a day (2026-11-21) or UTC "
        "milliseconds",
        text.substr(0, 64));
  };
  TimeMs time_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time_ms);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() < 9) {
    absl::Time time;
    std::string reason;
    const absl::string_view view(text.data(), text.size());
    const char* const format = text.size() == 10 ? "%Y-%m-%d" : absl::RFC3339_full;
    if (!absl::ParseTime(format, view, absl::UTCTimeZone(), &time, &reason)) return refused();
    time_ms = absl::ToUnixMillis(time);
  }
  if (time_ms < 0 || time_ms >= k_latest_ms) return refused();
  return time_ms;
}

std::string format_time(TimeMs time_ms) {
  const char* const format = time_ms % 1000 == 0 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%E3SZ";
  return absl::FormatTime(format, absl::FromUnixMillis(time_ms), absl::UTCTimeZone());
}

}  // namespace vitrine
