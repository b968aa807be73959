#include "server/coupons/uplift_inputs.h"

#include <algorithm>
#include <cmath>

#include "model/money.h"

namespace vitrine::coupons {
namespace {

constexpr double k_recent_days = 30;  // after which recency has fallen to a half

double days(TimeMs span_ms) {
  return static_cast<double>(std::max<TimeMs>(span_ms, 0)) / static_cast<double>(k_day_ms);
}

}  // namespace

UpliftPerson uplift_person(const profiles::Profile& profile, std::span<const TimeMs> redeemed_at,
                           std::string_view currency, TimeMs at_ms) {
  const std::uint32_t code = profiles::currency_code_of(currency);
  const double minor_units = std::pow(10.0, currency_digits(currency));
  double orders = 0;
  double spent = 0;
  double recency = 0;
  for (const profiles::OrderSum& order : profiles::orders_of(profile)) {
    if (order.time_ms >= at_ms) continue;
    orders += order.count;
    if (order.net.currency == code) spent += static_cast<double>(order.net.minor) / minor_units;
    recency = 1 / (1 + days(at_ms - order.time_ms) / k_recent_days);  // oldest first
  }
  const bool is_seen = profile.first_seen_ms != 0;
  const double tenure = is_seen ? days(at_ms - profile.first_seen_ms) : 0;
  const auto used = std::ranges::count_if(redeemed_at, [&](TimeMs at) { return at < at_ms; });
  const auto log_of = [](double value) { return static_cast<float>(std::log1p(value)); };
  return {{static_cast<float>(recency), log_of(orders), log_of(std::max(0.0, spent)),
           log_of(tenure), log_of(static_cast<double>(used))}};
}

std::vector<float> LearnedUplift::row_of(const UpliftPerson& person, std::string_view offer,
                                         std::optional<double> score) const {
  std::vector<float> row(std::begin(person.values), std::end(person.values));
  row.push_back(score ? 1 : 0);
  row.push_back(score ? static_cast<float>(std::clamp(*score, score_low, score_high)) : 0);
  for (const std::string& one : offers) row.push_back(one == offer ? 1 : 0);
  return row;
}

}  // namespace vitrine::coupons
