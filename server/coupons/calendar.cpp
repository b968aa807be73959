#include "server/coupons/calendar.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

namespace vitrine::coupons {

std::string_view name_of(Measure measure) {
  switch (measure) {
    case Measure::uses:
      return "uses";
    case Measure::discount:
      return "discount";
    case Measure::issued:
      return "issued";
    case Measure::liability:
      return "liability";
    case Measure::stock:
      return "stock";
    case Measure::points:
      return "points";
  }
  return "";
}

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::global:
      return "global";
    case Scope::user:
      return "user";
    case Scope::code:
      return "code";
    case Scope::identifier:
      return "identifier";
    case Scope::market:
      return "market";
    case Scope::order:
      return "order";
  }
  return "";
}

std::string_view name_of(Period period) {
  switch (period) {
    case Period::lifetime:
      return "lifetime";
    case Period::day:
      return "day";
    case Period::week:
      return "week";
    case Period::month:
      return "month";
  }
  return "";
}

bool Calendar::set_zone(std::string_view name) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone({name.data(), name.size()}, &zone)) return false;
  name_ = name;
  zone_ = zone;
  return true;
}

std::string Calendar::period_start(Period period, TimeMs time_ms) const {
  if (period == Period::lifetime) return "";
  absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(time_ms), zone_);
  if (period == Period::month) day = absl::CivilDay(absl::CivilMonth(day));
  if (period == Period::week) {
    while (absl::GetWeekday(day) != absl::Weekday::monday) --day;
  }
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

int Calendar::hour(TimeMs time_ms) const {
  return absl::ToCivilHour(absl::FromUnixMillis(time_ms), zone_).hour();
}

}  // namespace vitrine::coupons
