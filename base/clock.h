// What time it is: UTC milliseconds since 1970, handed in so that tests decide.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine {

using TimeMs = std::int64_t;  // UTC milliseconds since 1970-01-01T00:00:00Z

constexpr TimeMs k_second_ms = 1000;
constexpr TimeMs k_minute_ms = 60 * k_second_ms;
constexpr TimeMs k_hour_ms = 60 * k_minute_ms;
constexpr TimeMs k_day_ms = 24 * k_hour_ms;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeMs now_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeMs now_ms() const override;
};

// Stands still until told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimeMs now_ms) : now_ms_(now_ms) {}
  TimeMs now_ms() const override { return now_ms_.load(); }
  void set(TimeMs now_ms) { now_ms_.store(now_ms); }
  void advance(TimeMs by_ms) { now_ms_.fetch_add(by_ms); }

 private:
  std::atomic<TimeMs> now_ms_;
};

// Microseconds of a steady clock, for durations only.
std::int64_t steady_us();

// Accepts RFC 3339 ("2026-11-21T10:00:00Z", any offset, fractions), a day ("2026-11-21", its first
// instant in UTC), or UTC milliseconds as an integer in text. Years outside 1970..2200 are refused.
absl::StatusOr<TimeMs> parse_time(std::string_view text);

// RFC 3339 in UTC; milliseconds only when there are any: "2026-11-21T10:00:00Z".
std::string format_time(TimeMs time_ms);

}  // namespace vitrine
