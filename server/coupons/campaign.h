// A campaign: when, where and for whom its offers are, and what they may cost together.
//
// Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/coupons/calendar.h"
#include "server/coupons/limit.h"
#include "server/expressions/program.h"

namespace vitrine::coupons {

// Scheduled and ended are what an active one is before and after its window.
enum class CampaignState : std::uint8_t { draft, scheduled, active, paused, ended, archived };
constexpr CampaignState k_campaign_states[] = {CampaignState::draft,  CampaignState::scheduled,
                                               CampaignState::active, CampaignState::paused,
                                               CampaignState::ended,  CampaignState::archived};
std::string_view name_of(CampaignState state);

struct Campaign {
  static constexpr std::size_t k_id_bytes_max = 64;
  static constexpr std::size_t k_text_bytes_max = 1024;
  static constexpr std::size_t k_list_max = 100;  // markets, channels
  static constexpr std::size_t k_limits_max = 20;
  static constexpr double k_holdout_share_max = 0.5;
  static constexpr TimeMs k_never_ms = std::numeric_limits<TimeMs>::max();

  std::string id = {};
  std::string name = {};
  CampaignState state = CampaignState::draft;  // as it was set
  TimeMs start_ms = 0;
  TimeMs end_ms = k_never_ms;  // not included
  Calendar calendar = {};
  std::vector<std::string> markets = {};                      // empty: all
  std::vector<std::string> channels = {};                     // empty: all
  std::string audience = {};                                  // empty: everybody
  std::shared_ptr<const expressions::Program> is_meant = {};  // the same, compiled; null: everybody
  double holdout_share = 0.1;
  std::string holdout_seed = {};  // empty: the id
  std::int64_t priority = 0;      // larger first
  std::vector<Limit> budgets = {};
  std::uint64_t version = 0;
  TimeMs changed_ms = 0;

  CampaignState state_at(TimeMs time_ms) const {
    if (state != CampaignState::active && state != CampaignState::scheduled) return state;
    if (time_ms >= end_ms) return CampaignState::ended;
    return time_ms < start_ms ? CampaignState::scheduled : CampaignState::active;
  }
};

// Letters, digits, '.', '_' and '-'.
bool is_coupon_id(std::string_view id);

// InvalidArgument begins with the field.
absl::Status validate(const Campaign& campaign);
absl::Status validate(const std::vector<Limit>& limits, std::string_view field);

}  // namespace vitrine::coupons
