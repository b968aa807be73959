#include "server/segments/rfm_months.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/segments/months.h"
#include "server/segments/rfm_standing.h"

namespace vitrine::segments {
namespace {

using profiles::OrderSum;

// What is kept of everybody for as long as the months are gone through: orders side by side.
struct People {
  struct Person {
    TimeMs first_seen_ms;
    std::size_t orders_end;
  };
  std::vector<Person> all;
  std::vector<OrderSum> orders;

  std::span<const OrderSum> orders_of(std::size_t person) const {
    const std::size_t begin = person == 0 ? 0 : all[person - 1].orders_end;
    return std::span(orders).subspan(begin, all[person].orders_end - begin);
  }
};

absl::StatusOr<People> read(const profiles::ProfileBook& profiles,
                            const identity::IdentityBook& identities, TimeMs as_of_ms) {
  People people;
  VITRINE_RETURN_IF_ERROR(profiles.walk([&](UserNumber user, const profiles::Profile& profile) {
    if (!identities.is_user(user) || profile.events == 0 || profile.first_seen_ms >= as_of_ms) {
      return true;
    }
    for (const OrderSum& order : profiles::orders_of(profile)) people.orders.push_back(order);
    people.all.push_back(
        {.first_seen_ms = profile.first_seen_ms, .orders_end = people.orders.size()});
    return true;
  }));
  return people;
}

using Group = std::optional<std::size_t>;  // nothing: not known by then

std::vector<Group> groups_at(const People& people, TimeMs time_ms) {
  std::vector<RfmStanding> standings;
  standings.reserve(people.all.size());
  std::vector<RfmFigures> buyers;
  for (std::size_t i = 0; i < people.all.size(); ++i) {
    standings.push_back(standing_at(people.all[i].first_seen_ms, people.orders_of(i), time_ms));
    if (standings.back().figures) buyers.push_back(*standings.back().figures);
  }
  const RfmBounds bounds = rfm_bounds(buyers, time_ms);
  std::vector<Group> groups;
  groups.reserve(standings.size());
  for (const RfmStanding& standing : standings) {
    groups.push_back(standing.is_known ? Group(group_of(standing, bounds)) : std::nullopt);
  }
  return groups;
}

}  // namespace

absl::StatusOr<std::vector<RfmMonth>> rfm_months(const profiles::ProfileBook& profiles,
                                                 const identity::IdentityBook& identities,
                                                 TimeMs as_of_ms, std::size_t count) {
  VITRINE_ASSIGN_OR_RETURN(const People people, read(profiles, identities, as_of_ms));
  const std::vector<TimeMs> bounds = bounds_of_months(as_of_ms, count);
  std::vector<Group> before = groups_at(people, bounds.front());
  std::vector<RfmMonth> months;
  for (std::size_t i = 0; i < count; ++i) {
    RfmMonth& month = months.emplace_back();
    month.from_ms = bounds[i];
    month.to_ms = bounds[i + 1];
    std::vector<Group> after = groups_at(people, month.to_ms);
    for (std::size_t person = 0; person < after.size(); ++person) {
      if (!after[person]) continue;
      ++month.people.at(*after[person]);
      if (before[person]) ++month.moved.at(*before[person]).at(*after[person]);
    }
    before = std::move(after);
  }
  return months;
}

}  // namespace vitrine::segments
