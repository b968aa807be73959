// Did a campaign pay? Decisions, redemptions, orders and the ledger, brought together and judged.
//
// Read from what is durable, at one moment, beside the server's work; costs a walk over the
// campaign's decisions, all redemptions and the profiles of everybody assigned.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "server/catalog/catalog.h"
#include "server/coupons/coupon_decision_log.h"
#include "server/coupons/desk.h"
#include "server/identity/identity_book.h"
#include "server/payoff/first_decisions.h"
#include "server/payoff/redeemed_orders.h"
#include "server/payoff/takings.h"
#include "server/profiles/profile_book.h"
#include "server/store/database.h"
#include "training/uplift/campaign_judge.h"

namespace vitrine::payoff {

// What a margin is: what was paid, less what the products cost the shop where that is known.
enum class MarginBasis : std::uint8_t { net_revenue, net_revenue_less_cost };
std::string_view name_of(MarginBasis basis);

struct CampaignReport {
  struct OfferLine {
    std::string offer = {};
    std::int64_t issued = 0;
    std::uint64_t shown = 0;  // in answers
    std::uint64_t seen = 0;   // of these, in front of somebody's eyes
    std::uint64_t ghosts = 0;
    std::uint64_t redeemed = 0;              // orders
    std::uint64_t returned = 0;              // of these, as a whole or in part
    std::map<std::string, Money> cost = {};  // what was taken off, less returns, by currency
    std::vector<std::pair<coupons::Reason, std::uint64_t>> denied = {};
  };

  std::string campaign = {};
  TimeMs as_of_ms = 0;
  std::int64_t window_days = 0;
  TimeMs first_ms = 0;            // of the decisions; 0 without any
  TimeMs closes_ms = 0;           // when the last window is over
  std::uint64_t people = 0;       // with a decision
  std::uint64_t open_people = 0;  // of these, whose window is not over: not judged yet
  std::uint64_t nameless = 0;     // decisions whose person is not known, or erased
  std::vector<OfferLine> offers = {};

  std::string currency = {};
  MarginBasis basis = MarginBasis::net_revenue;
  double cost_coverage = 0;                   // of what was sold, the share whose cost is known
  std::uint64_t other_currency = 0;           // orders that count as orders only
  double offered_revenue = 0;                 // of those judged
  double holdout_revenue = 0;                 // likewise
  std::vector<std::string> offer_names = {};  // by the numbers of the judgement
  training::CampaignJudgement judgement = {};

  // Everybody's window is over, and was a whole one: nothing can change the verdict any more but
  // returns.
  bool is_final() const { return people > 0 && open_people == 0 && is_whole_window(); }
  // Of whole windows only: whoever looks at shorter ones looks too soon.
  training::Verdict verdict() const {
    return is_whole_window() ? judgement.verdict : training::Verdict::cannot_tell;
  }
  std::string why() const;
  bool is_whole_window() const;
};

// Somebody whose window is over.
struct JudgedPerson {
  const FirstDecisions::First& first;
  const std::string* offer;  // that was chosen, ghosts too; null: none
  const Takings& takings;
  double margin;
};

class CampaignReporter {
 public:
  static constexpr std::int64_t k_window_days_usual = 28;
  static constexpr std::int64_t k_window_days_max = 28;
  // Below, margins are net revenue; above, what has no cost is taken to cost as much as the rest.
  static constexpr double k_cost_coverage_min = 0.8;

  // All outlive it.
  struct Parts {
    const store::Database& database;
    const profiles::ProfileBook& profiles;
    const identity::IdentityBook& identities;
    const catalog::Catalog& catalog;
    const coupons::Desk& desk;
    const coupons::CouponDecisionLog& decisions;
    const Clock& clock;
  };
  explicit CampaignReporter(const Parts& parts) : parts_(parts) {}

  struct Question {
    std::string campaign = {};
    std::int64_t window_days = k_window_days_usual;  // [1, k_window_days_max]
    std::string currency = {};  // empty: the one the campaign is redeemed in most
  };
  // visit  is shown everybody who is judged; may be empty
  // NotFound: there is no such campaign. DataLoss: something cannot be read.
  using Visit = std::function<void(const JudgedPerson&)>;
  absl::StatusOr<CampaignReport> report(const Question& question, const Visit& visit = {}) const;

 private:
  absl::Status count_offers(const coupons::OfferBook& book, const FirstDecisions& firsts,
                            const RedeemedOrders& orders, CampaignReport& report) const;
  // By first decision; nothing for those whose window is not over.
  absl::StatusOr<std::vector<std::optional<Takings>>> takings_of(const FirstDecisions& firsts,
                                                                 const RedeemedOrders& orders,
                                                                 CampaignReport& report) const;
  static absl::Status judge(const FirstDecisions& firsts,
                            const std::vector<std::optional<Takings>>& takings,
                            double holdout_share, const Visit& visit, CampaignReport& report);

  const Parts parts_;
};

}  // namespace vitrine::payoff
