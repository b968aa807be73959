#include "server/coupons/campaign.h"

#include <algorithm>

#include "base/status.h"
#include "model/money.h"

namespace vitrine::coupons {

std::string_view name_of(CampaignState state) {
  switch (state) {
    case CampaignState::draft:
      return "draft";
    case CampaignState::scheduled:
      return "scheduled";
    case CampaignState::active:
      return "active";
    case CampaignState::paused:
      return "paused";
    case CampaignState::ended:
      return "ended";
    case CampaignState::archived:
      return "archived";
  }
  return "";
}

bool is_coupon_id(std::string_view id) {
  if (id.empty() || id.size() > Campaign::k_id_bytes_max) return false;
  return std::ranges::all_of(id, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
  });
}

absl::Status validate(const std::vector<Limit>& limits, std::string_view field) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const Limit& limit = limits[i];
    if (is_money(limit.measure) != !limit.currency.empty()) {
      return invalid_argument(
          "{}[{}].currency is for measures of money, discount and liability, "
          "and needed there; the measure is {}",
          field, i, name_of(limit.measure));
    }
    if (!limit.currency.empty() && !is_currency(limit.currency)) {
      return invalid_argument("{}[{}].currency must be three capital letters as EUR, got '{}'",
                              field, i, limit.currency);
    }
    if (limit.caps && limit.measure != Measure::discount) {
      return invalid_argument("{}[{}].on_breach can be cap for the measure discount only, got {}",
                              field, i, name_of(limit.measure));
    }
    const bool is_of_grants =
        limit.measure == Measure::issued || limit.measure == Measure::liability;
    if (is_of_grants && limit.scope != Scope::global && limit.scope != Scope::user) {
      return invalid_argument("{}[{}].scope must be global or user for the measure {}, got {}",
                              field, i, name_of(limit.measure), name_of(limit.scope));
    }
    if (limit.measure == Measure::liability && limit.period != Period::lifetime) {
      return invalid_argument("{}[{}].period must be lifetime for the measure liability, got {}",
                              field, i, name_of(limit.period));
    }
  }
  return absl::OkStatus();
}

absl::Status validate(const Campaign& campaign) {
  if (campaign.end_ms <= campaign.start_ms) {
    return invalid_argument("end must be after start");
  }
  return validate(campaign.budgets, "budgets");
}

}  // namespace vitrine::coupons
