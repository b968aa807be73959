// Days, weeks and months as a shop's clocks show them.
//
// Thread-safe.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/coupons/limit.h"

namespace vitrine::coupons {

class Calendar {
 public:
  static constexpr std::string_view k_default_zone = "UTC";

  Calendar() = default;  // UTC
  // False for a name that the IANA time zone database does not have; then nothing changes.
  bool set_zone(std::string_view name);
  const std::string& zone() const { return name_; }

  // The first day of the period, "2026-11-23"; weeks begin on Monday. Empty for a lifetime.
  std::string period_start(Period period, TimeMs time_ms) const;
  int hour(TimeMs time_ms) const;  // [0, 23]

 private:
  std::string name_{k_default_zone};
  absl::TimeZone zone_ = absl::UTCTimeZone();
};

}  // namespace vitrine::coupons
