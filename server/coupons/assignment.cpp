#include "server/coupons/assignment.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "server/store/key.h"

namespace vitrine::coupons {
namespace {

using store::Family;
constexpr std::size_t k_time_bytes = 8;
static_assert(Campaign::k_holdout_share_max == training::HoldoutPlan::k_share_max);

// Of the new coupons, oldest first, as far as they still count.
std::vector<TimeMs> times_of(const Source& source, UserNumber user, TimeMs now_ms) {
  std::vector<TimeMs> times;
  const auto stored = source.get(Family::grants, new_coupons_key(user));
  if (!stored) return times;
  const std::string_view bytes = *stored;
  for (std::size_t at = 0; at + k_time_bytes <= bytes.size(); at += k_time_bytes) {
    const auto number = store::number_in(bytes.substr(at, k_time_bytes));
    const auto time_ms = static_cast<TimeMs>(number.value_or(0));
    if (time_ms > now_ms - k_fatigue_window_ms) times.push_back(time_ms);
  }
  return times;
}

}  // namespace

std::string_view name_of(Withheld withheld) {
  switch (withheld) {
    case Withheld::holdout:
      return "HOLDOUT";
    case Withheld::control_group:
      return "CONTROL_GROUP";
    case Withheld::fatigue:
      return "FATIGUE";
  }
  return "";
}

UserNumber person_of(const identity::IdentityBook& identities, UserNumber user) {
  if (user == k_nobody) return user;
  const std::vector<UserNumber> visitors = identities.visitors_of(user);  // ascending
  return visitors.empty() ? user : std::min(user, visitors.front());
}

training::HoldoutPlan plan_of(const Campaign& campaign, const DecisionRules& rules, TimeMs now_ms) {
  const auto year = absl::ToCivilYear(absl::FromUnixMillis(now_ms), absl::UTCTimeZone()).year();
  return {.campaign_seed = campaign.holdout_seed.empty() ? campaign.id : campaign.holdout_seed,
          .share = std::min(campaign.holdout_share, Campaign::k_holdout_share_max),
          .universal_seed = fmt::format("{}", year),
          .universal_share = static_cast<double>(rules.control_percent) / 100};
}

training::Assignment assignment_of(UserNumber person, const Campaign& campaign,
                                   const DecisionRules& rules, TimeMs now_ms) {
  if (person == k_nobody) return training::Assignment::offered;
  return training::assignment_of(person.value(), plan_of(campaign, rules, now_ms));
}

std::optional<training::DetectableEffect> detectable_in(const Campaign& campaign,
                                                        const DecisionRules& rules, double people,
                                                        double conversion) {
  const double control = static_cast<double>(rules.control_percent) / 100;
  const auto effect = training::detectable_effect(
      {.people = people * (1 - control),
       .holdout_share = std::min(campaign.holdout_share, Campaign::k_holdout_share_max),
       .conversion = conversion});
  return effect.ok() ? std::optional(*effect) : std::nullopt;
}

std::string new_coupons_key(UserNumber user) { return "w" + store::key_of(user.value()); }

std::int64_t new_coupons_of(const Source& source, UserNumber user, TimeMs now_ms) {
  if (user == k_nobody) return 0;
  return static_cast<std::int64_t>(times_of(source, user, now_ms).size());
}

void note_new_coupon(events::Batch& batch, const Source& source, UserNumber user) {
  std::vector<TimeMs> times = times_of(source, user, batch.time_ms());
  times.push_back(batch.time_ms());
  // More than can count are not kept.
  const auto kept_max = static_cast<std::size_t>(DecisionRules::k_new_per_week_max);
  const std::size_t first = times.size() > kept_max ? times.size() - kept_max : 0;
  std::string bytes;
  for (std::size_t i = first; i < times.size(); ++i) {
    bytes += store::key_of(static_cast<std::uint64_t>(times[i]));
  }
  batch.put(Family::grants, new_coupons_key(user), bytes);
}

}  // namespace vitrine::coupons
