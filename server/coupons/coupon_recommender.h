// Which coupons to show somebody: what they may have, ranked by how likely they use it and what
// that is worth, one place drawn by chance, and nothing of campaigns they are kept from.
//
// Every answer leaves a record for each campaign that had a say (coupon_decision.h). The shelf that
// is ranked is made anew, on a thread of its own, when offers, the model or the catalog change;
// until then a new offer counts as one that nothing is known of. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "server/coupons/coupon_decision_log.h"
#include "server/coupons/coupon_scores.h"
#include "server/coupons/desk.h"
#include "server/recommend/recommender.h"
#include "training/uplift/exploration.h"

namespace vitrine::coupons {

struct CouponRequest {
  // Market, currency (empty: that of most offers) and channel, identifiers, and who it is to the
  // conditions of offers; no lines.
  Checkout checkout = {};
  std::string visitor_id = {};
  bool is_verified = true;  // false: nothing the user has or did may be told
  bool personalize = true;
  bool explore = true;  // false: no place is drawn by chance
  std::size_t limit = 3;
};

struct RecommendedCoupon {
  Terms terms = {};
  std::optional<Grant> grant = {};
  bool is_to_be_claimed = false;
  double score = 0;
  double chance = 0;                      // that it is used
  std::optional<double> propensity = {};  // of the place that was drawn
  recommend::Reason reason = {};
  std::string says = {};  // what it does: "20.00 EUR off from 100.00 EUR"
};

struct CouponAnswer {
  std::string recommendation_id = {};  // that of the decision
  std::string model_version = {};      // empty while there is no model
  bool personalized = false;           // something known about the person had a say in the order
  std::vector<RecommendedCoupon> coupons = {};
};

class CouponRecommender {
 public:
  static constexpr std::size_t k_limit_max = 9;  // the shortlist
  static constexpr std::string_view k_placement = "coupons";
  static constexpr std::string_view k_policy = "affinity";
  static constexpr std::uint64_t k_policy_version = 1;

  struct Options {
    TimeMs poll_ms = 200;                  // between two looks for another book or model
    TimeMs catalog_ms = 10 * k_minute_ms;  // how old what is covered may be
    TimeMs counts_ms = 5 * k_minute_ms;    // likewise showings and uses
    TimeMs counted_ms = 28 * k_day_ms;     // of which showings are counted
    std::size_t counted_max = 1'000'000;   // decisions looked at for that
    training::ExplorationOptions exploration = {};
  };
  struct Parts {                           // all outlive it
    recommend::Recommender::Parts people;  // as products are recommended to them
    const Desk& desk;
    CouponDecisionLog& decisions;
    events::Committer& committer;
    Log& log;
  };
  CouponRecommender(const Parts& parts, const Options& options);
  ~CouponRecommender();  // stop()

  // InvalidArgument: limit outside 1 .. k_limit_max.
  absl::StatusOr<CouponAnswer> recommend(const CouponRequest& request) const;

  void start();  // the thread; without it somebody calls refresh()
  void stop();
  // Makes the shelf anew if something changed; whether it did.
  bool refresh();
  std::shared_ptr<const CouponShelf> shelf() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::coupons
