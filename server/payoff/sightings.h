// How often what was shown was seen, as storefronts tell it: events that carry the decision's id.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "server/payoff/first_decisions.h"
#include "server/store/database.h"

namespace vitrine::payoff {

// By offer: decisions that showed it of which an impression, promo_view or promo_click came in, one
// each. Walks the log from `from_ms` on, unless nothing was shown.
absl::StatusOr<std::map<std::string, std::uint64_t, std::less<>>> sightings_of(
    const store::Database& database, const FirstDecisions& firsts, TimeMs from_ms);

}  // namespace vitrine::payoff
