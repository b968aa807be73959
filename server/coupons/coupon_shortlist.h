// The way from what somebody may have to what is shown: scored, cut to the few best that the ledger
// has room for, drawn by SquareCB, and the record of that.
//
// Campaigns that the person is kept from have their places in the shortlist like all others: drawn
// with them it says what the person would have got, drawn without them what they get. So both
// groups of a campaign are those in whose shortlist it was. One thread each.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/coupons/coupon_decision.h"
#include "server/coupons/coupon_recommender.h"
#include "server/coupons/coupon_scores.h"
#include "server/coupons/desk.h"
#include "training/uplift/coupon_decision.h"

namespace vitrine::coupons {

class CouponShortlist {
 public:
  struct Parts {
    const Desk& desk;
    const identity::IdentityBook& identities;
    const CouponShelf& shelf;
    training::ExplorationOptions exploration;
    UserNumber user;  // for groups; nobody is kept from nothing
    TimeMs now_ms;
  };
  // `checkout` outlives it.
  CouponShortlist(const Parts& parts, const Checkout& checkout);

  absl::Status fill(std::span<const Terms> claimable, const CouponPerson& person);

  struct Result {
    std::vector<RecommendedCoupon> coupons = {};
    std::vector<CouponDecision> decisions = {};
  };
  // `chance` in [0, 1); nothing: the best comes first.
  absl::StatusOr<Result> decide(const std::string& id, std::size_t limit,
                                std::optional<double> chance) const;

 private:
  struct Entry {
    Desk::Usable usable;
    const Amounts* amounts = nullptr;
    CouponScore score;
    double worth = 0;  // the score
    training::Assignment assignment = training::Assignment::offered;
  };
  // What would be shown of some entries, first to last, with how it was drawn.
  struct Draw {
    training::CouponDecision decision = {};
    std::vector<std::size_t> shown = {};  // places in entries_
  };
  Entry entry_of(Desk::Usable usable, const std::vector<CouponScore>& scores) const;
  absl::StatusOr<Draw> draw(std::span<const std::size_t> places, std::size_t limit,
                            std::optional<double> chance) const;
  CouponDecision record_of(const std::string& id, const std::string& campaign,
                           training::Assignment assignment, const Draw& draw) const;
  RecommendedCoupon shown(const Entry& entry) const;

  const Parts parts_;
  const Checkout& checkout_;
  const UserNumber person_;
  std::vector<Entry> entries_;        // the shortlist, best first
  std::vector<std::size_t> all_;      // its places
  std::vector<std::size_t> offered_;  // those of campaigns the person is not kept from
};

}  // namespace vitrine::coupons
