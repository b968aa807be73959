// The first decision of a campaign about each person: the one that assigned them.
//
// What was decided later about the same person changes nothing: both groups are compared by what
// chance said first. People who turned out to be one are one here, with the earlier decision.
// Thread-safety: a value.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/coupon_decision_log.h"
#include "server/coupons/offer_book.h"
#include "server/identity/identity_book.h"
#include "training/uplift/campaign_judge.h"

namespace vitrine::payoff {

// What became of all decisions about an offer, not the first ones only.
struct DecisionCounts {
  std::uint64_t shown = 0;    // in answers
  std::uint64_t granted = 0;  // put into people's hands
  std::uint64_t ghosts = 0;   // kept back by the holdout
};

class FirstDecisions {
 public:
  struct First {
    UserNumber user;  // whose history theirs is now
    TimeMs time_ms = 0;
    training::Assignment assignment = training::Assignment::offered;
    training::Arm chosen = {};
    double propensity = 1;
    std::optional<double> score = {};
    bool is_by_uplift = false;  // what the score is of; else affinity
    std::size_t arms_begin = 0;
    std::size_t arms_end = 0;
  };

  // book  says which offers are the campaign's; those it does not know were removed
  static absl::StatusOr<FirstDecisions> read(const coupons::CouponDecisionLog& log,
                                             const identity::IdentityBook& identities,
                                             const coupons::OfferBook& book,
                                             std::string_view campaign);

  const std::vector<First>& all() const { return firsts_; }
  // Of somebody's, in all(); nothing for people without one.
  std::optional<std::size_t> place_of(UserNumber user) const;
  std::span<const training::Arm> arms_of(const First& first) const {
    return std::span(arms_).subspan(first.arms_begin, first.arms_end - first.arms_begin);
  }
  // By number; those of an arm that is no offer of the campaign are none.
  const std::vector<std::string>& offers() const { return offers_; }
  const std::map<std::string, DecisionCounts, std::less<>>& counts() const { return counts_; }
  std::uint64_t nameless() const { return nameless_; }  // decisions whose person is not known

  // Of what was shown: the ids by which a storefront says that it was seen, with the offer.
  const absl::flat_hash_map<std::string, std::uint32_t>& shown() const { return shown_; }

 private:
  void count(const coupons::CouponDecision& decision);
  void take(const coupons::CouponDecision& decision, const coupons::OfferBook& book,
            UserNumber user);
  void keep_arms(const coupons::CouponDecision& decision, const coupons::OfferBook& book,
                 First& first);
  std::uint32_t number_of(const std::string& offer);

  std::vector<First> firsts_;
  std::vector<training::Arm> arms_;
  absl::flat_hash_map<UserNumber, std::size_t> places_;
  std::vector<std::string> offers_;
  absl::flat_hash_map<std::string, std::uint32_t> offer_numbers_;
  std::map<std::string, DecisionCounts, std::less<>> counts_;
  absl::flat_hash_map<std::string, std::uint32_t> shown_;
  std::uint64_t nameless_ = 0;
};

}  // namespace vitrine::payoff
