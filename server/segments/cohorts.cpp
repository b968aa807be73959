#include "server/segments/cohorts.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/status.h"
#include "model/money.h"
#include "server/segments/months.h"

namespace vitrine::segments {
namespace {

using profiles::OrderSum;

class Counting {
 public:
  Counting(TimeMs as_of_ms, std::size_t count)
      : as_of_ms_(as_of_ms), bounds_(bounds_of_months(as_of_ms, count)), cohorts_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      cohorts_[i].begin_ms = bounds_[i];
      cohorts_[i].months.resize(count - i);
    }
  }

  // `orders`: oldest first.
  void add(const std::vector<OrderSum>& orders) {
    if (orders.empty() || orders.front().time_ms >= as_of_ms_) return;
    if (orders.front().time_ms < bounds_.front()) return;
    const std::size_t first = month_of(orders.front().time_ms);
    Cohort& cohort = cohorts_[first];
    ++cohort.buyers;
    ++first_orders_[orders.front().net.currency];
    add_again(orders, cohort);
    std::size_t counted = cohorts_.size();  // the month in which this buyer is counted already
    for (const OrderSum& order : orders) {
      if (order.time_ms >= as_of_ms_) break;
      const std::size_t month = month_of(order.time_ms);
      CohortMonth& cell = cohort.months[month - first];
      if (month != counted) ++cell.buyers;
      counted = month;
      cell.orders += order.count;
      spend_[{first, month - first, order.net.currency}] += static_cast<double>(order.net.minor);
    }
  }

  CohortView view() && {
    const auto most =
        std::ranges::max_element(first_orders_, {}, [](const auto& one) { return one.second; });
    const std::uint32_t currency = most == first_orders_.end() ? 0 : most->first;
    CohortView view{.as_of_ms = as_of_ms_,
                    .currency = profiles::currency_of(currency),
                    .cohorts = std::move(cohorts_)};
    const double unit = std::pow(10.0, currency_digits(view.currency));
    for (const auto& [place, minor] : spend_) {
      if (place.currency != currency) continue;
      view.cohorts[place.cohort].months[place.month].spend = minor / unit;
    }
    return view;
  }

 private:
  struct Place {
    std::size_t cohort;
    std::size_t month;
    std::uint32_t currency;
    auto operator<=>(const Place&) const = default;
  };

  std::size_t month_of(TimeMs time_ms) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(bounds_, time_ms) - bounds_.begin()) -
           1;
  }

  void add_again(const std::vector<OrderSum>& orders, Cohort& cohort) const {
    const TimeMs first_ms = orders.front().time_ms;
    for (std::size_t i = 0; i < Cohort::k_days.size(); ++i) {
      const TimeMs until_ms = first_ms + Cohort::k_days.at(i) * k_day_ms;
      if (until_ms > as_of_ms_) continue;
      ++cohort.within.at(i).watched;
      const bool is_back = orders.size() > 1 && orders[1].time_ms < until_ms;
      cohort.within.at(i).again += is_back ? 1 : 0;
    }
  }

  const TimeMs as_of_ms_;
  const std::vector<TimeMs> bounds_;
  std::vector<Cohort> cohorts_;
  std::map<std::uint32_t, std::size_t> first_orders_;  // by currency
  std::map<Place, double> spend_;                      // in minor units
};

}  // namespace

absl::StatusOr<CohortView> cohorts(const profiles::ProfileBook& profiles,
                                   const identity::IdentityBook& identities, TimeMs as_of_ms,
                                   std::size_t count) {
  Counting counting(as_of_ms, count);
  VITRINE_RETURN_IF_ERROR(profiles.walk([&](UserNumber user, const profiles::Profile& profile) {
    if (identities.is_user(user)) counting.add(profiles::orders_of(profile));
    return true;
  }));
  return std::move(counting).view();
}

}  // namespace vitrine::segments
