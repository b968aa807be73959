// An offer of a campaign: on which terms who gets what.
//
// Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/coupons/campaign.h"
#include "server/coupons/coverage.h"
#include "server/coupons/effect.h"
#include "server/coupons/limit.h"
#include "server/coupons/stacking.h"

namespace vitrine::coupons {

// code: whoever knows the code; automatic: applies by itself; granted: the shop gives it to people;
// claimed (领券): people take it.
enum class Trigger : std::uint8_t { code, automatic, granted, claimed };
constexpr Trigger k_triggers[] = {Trigger::code, Trigger::automatic, Trigger::granted,
                                  Trigger::claimed};
std::string_view name_of(Trigger trigger);

// Of what a return leaves of an order.
enum class ReturnPolicy : std::uint8_t { recalculate, proportional, keep };
constexpr ReturnPolicy k_return_policies[] = {ReturnPolicy::recalculate, ReturnPolicy::proportional,
                                              ReturnPolicy::keep};
std::string_view name_of(ReturnPolicy policy);

struct Conditions {
  std::int64_t min_quantity = 0;  // pieces of covered products
  Coverage products = {};         // empty: all
  bool first_order = false;
  std::int64_t new_customer_days = 0;      // since the first order, at most; 0: whoever
  std::vector<std::string> levels = {};    // the trait `level` is one of them; empty: whoever
  std::vector<std::string> channels = {};  // empty: all
  int from_hour = 0;                       // of the campaign's clock
  int until_hour = 24;                     // not included; below from_hour: over midnight
};

struct Offer {
  static constexpr std::size_t k_tiers_max = 20;
  static constexpr std::size_t k_set_max = 20;
  static constexpr std::size_t k_code_bytes_max = 40;
  static constexpr std::int64_t k_days_max = 3650;
  static constexpr std::string_view k_any_market = "*";

  std::string id = {};
  std::string campaign = {};
  std::string name = {};
  Trigger trigger = Trigger::code;
  std::string code = {};     // of everybody; empty: each grant has its own
  bool is_honoured = false;  // what is granted is held, so that it is never refused for budget
  bool is_paused = false;
  Conditions conditions = {};
  Effect effect = {};
  std::map<std::string, Amounts, std::less<>> amounts = {};  // by market; k_any_market for others
  Stacking stacking = {};
  std::optional<TimeMs> start_ms = {};  // inside the campaign's window
  std::optional<TimeMs> end_ms = {};
  std::int64_t days_after_grant = 0;  // 0: as long as the offer
  std::int64_t uses_per_grant = 1;
  std::int64_t priority = 0;  // larger first; the campaign's counts before
  ReturnPolicy on_return = ReturnPolicy::proportional;
  bool restores_grant = true;  // what came back as a whole can be used again
  std::vector<Limit> limits = {};
  std::uint64_t version = 0;
  TimeMs changed_ms = 0;

  // Null where the offer does not count: an unlisted market, or another currency there.
  const Amounts* amounts_in(std::string_view market, std::string_view currency) const;
};

// InvalidArgument begins with the field.
absl::Status validate(const Offer& offer);

}  // namespace vitrine::coupons
