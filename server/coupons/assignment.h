// Who is kept from which campaign, and how many new coupons somebody may get.
//
// Whoever is kept from a campaign is not shown its coupons and not granted any; what they ask for,
// by a code or by claiming, they get: that is contamination, and the decisions show it.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/ids.h"
#include "server/coupons/campaign.h"
#include "server/coupons/ledger.h"
#include "server/events/committer.h"
#include "server/identity/identity_book.h"
#include "training/uplift/detectable_effect.h"
#include "training/uplift/holdout.h"

namespace vitrine::coupons {

struct DecisionRules {
  static constexpr std::int64_t k_new_per_week_max = 100;
  static constexpr std::int64_t k_control_percent_max = 50;

  // Of everybody, kept from all campaigns; drawn anew each year (UTC).
  std::int64_t control_percent = 2;
  // New coupons of a person in seven days, over all campaigns, after which the shop grants and
  // shows no more. What somebody claims counts, and is never refused for it.
  std::int64_t new_per_week = 2;
};

// Why somebody was not given what others were.
enum class Withheld : std::uint8_t { holdout, control_group, fatigue };
constexpr std::size_t k_withheld = 3;
std::string_view name_of(Withheld withheld);  // "HOLDOUT"

// Whom assignments are drawn for: of the numbers that turned out to be one person the one that was
// given first, so that the earliest assignment stays when a visitor logs in.
UserNumber person_of(const identity::IdentityBook& identities, UserNumber user);

training::HoldoutPlan plan_of(const Campaign& campaign, const DecisionRules& rules, TimeMs now_ms);
// Nobody is offered everything: whom nobody knows cannot be told again.
training::Assignment assignment_of(UserNumber person, const Campaign& campaign,
                                   const DecisionRules& rules, TimeMs now_ms);

// The least effect of the campaign that can be told from chance, were `people` in its audience, of
// whom the share `conversion` buys anyway; nothing without a holdout, or where a group is empty.
std::optional<training::DetectableEffect> detectable_in(const Campaign& campaign,
                                                        const DecisionRules& rules, double people,
                                                        double conversion);

// New coupons of the last seven days.
constexpr TimeMs k_fatigue_window_ms = 7 * k_day_ms;
std::int64_t new_coupons_of(const Source& source, UserNumber user, TimeMs now_ms);
void note_new_coupon(events::Batch& batch, const Source& source, UserNumber user);
std::string new_coupons_key(UserNumber user);  // in Family::grants

}  // namespace vitrine::coupons
