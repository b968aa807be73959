#include "server/coupons/campaign_budgets.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "server/coupons/accounts.h"

namespace vitrine::coupons {
namespace {

class Reader {
 public:
  Reader(const Desk& desk, std::string_view currency)
      : desk_(desk), currency_(currency), minor_units_(std::pow(10.0, currency_digits(currency))) {}

  // The limits of a campaign or of an offer, which the offer at `place` draws from.
  absl::Status add(std::string_view level, std::string_view id, const std::vector<Limit>& limits,
                   std::uint32_t place) {
    for (const Limit& limit : limits) {
      if (limit.scope != Scope::global || limit.period != Period::lifetime) continue;
      const bool is_budget = limit.measure == Measure::discount && limit.currency == currency_;
      const bool is_count = limit.measure == Measure::issued || limit.measure == Measure::uses;
      if (!is_budget && !is_count) continue;
      const std::string account = total_account(level, id, limit.measure, currency_);
      VITRINE_ASSIGN_OR_RETURN(const Balance balance, desk_.balance(account));
      const std::int64_t left = std::max<std::int64_t>(0, limit.value - balance.total());
      is_budget ? add_budget(account, left, place) : add_count(account, limit.measure, left, place);
    }
    return absl::OkStatus();
  }
  CampaignBudgets take() { return std::move(read_); }
  void add_offer() { read_.of_offer.emplace_back(); }

 private:
  // Of two limits on one account the lower one holds.
  void add_budget(const std::string& account, std::int64_t left, std::uint32_t place) {
    const double units = static_cast<double>(left) / minor_units_;
    auto known = std::ranges::find(read_.budgets, account, &CampaignBudgets::Budget::account);
    if (known == read_.budgets.end()) {
      known = read_.budgets.insert(known, {.account = account, .left = units});
    }
    known->left = std::min(known->left, units);
    const auto budget = static_cast<std::uint32_t>(known - read_.budgets.begin());
    std::vector<std::uint32_t>& own = read_.of_offer[place];
    if (std::ranges::find(own, budget) == own.end()) own.push_back(budget);
  }
  void add_count(const std::string& account, Measure measure, std::int64_t left,
                 std::uint32_t place) {
    auto known = std::ranges::find(read_.counts, account, &CampaignBudgets::Count::account);
    if (known == read_.counts.end()) {
      known = read_.counts.insert(
          known, {.account = account, .measure = measure, .left = left, .offers = {}});
    }
    known->left = std::min(known->left, left);
    if (std::ranges::find(known->offers, place) == known->offers.end()) {
      known->offers.push_back(place);
    }
  }

  const Desk& desk_;
  const std::string currency_;
  const double minor_units_;
  CampaignBudgets read_;
};

}  // namespace

absl::StatusOr<CampaignBudgets> CampaignBudgets::read(const Desk& desk,
                                                      std::span<const Terms> offers,
                                                      std::string_view currency) {
  Reader reader(desk, currency);
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const auto place = static_cast<std::uint32_t>(i);
    const Campaign& campaign = *offers[i].campaign;
    reader.add_offer();
    VITRINE_RETURN_IF_ERROR(reader.add("campaign", campaign.id, campaign.budgets, place));
    VITRINE_RETURN_IF_ERROR(
        reader.add("offer", offers[i].offer->id, offers[i].offer->limits, place));
  }
  return reader.take();
}

}  // namespace vitrine::coupons
