// How likely somebody uses a coupon, what that is worth to the shop, and why they would.
//
//   score = chance x (what is bought with it - what is taken off)
//   chance = rate x sqrt(demand / mass)
//
// Mass is the coupon's part of all that is wanted, demand its part of what this person is expected
// to buy: their own purchases, drawn towards what their taste makes of the assortment. The rate is
// learnt: uses of the coupon by how often it was shown, drawn towards what a coupon of its mass is
// used before anything is known. Without anything personal demand is mass.
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/coupons/coupon_shelf.h"
#include "server/profiles/profile.h"
#include "server/recommend/interest.h"
#include "server/recommend/recommender.h"

namespace vitrine::coupons {

// What is known about a person; all may be empty.
struct CouponPerson {
  std::span<const float> taste = {};  // in the basis of the shelf's live model
  std::span<const recommend::Interest> interests = {};
  const profiles::Profile* profile = nullptr;
};

struct CouponScore {
  double chance = 0;                            // that it is used when it is shown
  double lift = 1;                              // of the demand, beside everybody's
  std::optional<ProductNumber> bought = {};     // a covered product that the person bought most
  std::optional<ProductNumber> looked_at = {};  // else one they showed interest in lately
};

// By place on the shelf.
std::vector<CouponScore> score_coupons(const CouponShelf& shelf, const CouponPerson& person);
// Of an offer that is not on the shelf yet.
CouponScore score_of_unknown();

// What one coupon promises of one person.
struct CouponPromise {
  CouponScore score = {};
  CouponWorth worth = {};  // nothing where it has no amounts

  double value() const { return score.chance * worth.net(); }
  double cost() const { return score.chance * worth.cost; }
};
// scores   of score_coupons(), by place on the shelf
// amounts  those that count; null: none do
CouponPromise promise_of(const CouponShelf& shelf, const Offer& offer, const Amounts* amounts,
                         const std::vector<CouponScore>& scores);

// `usual_mass`: of the coupons of the shelf.
double rate_of(const ShelfCoupon& coupon, double usual_mass);

struct CouponReasonInputs {
  const CouponShelf& shelf;
  const Terms& terms;
  const Amounts* amounts = nullptr;  // null: nothing is said of what it does
  const CouponScore& score;
  TimeMs valid_until_ms = 0;  // of a grant; 0: none
  TimeMs now_ms = 0;
};
recommend::Reason reason_of(const CouponReasonInputs& inputs);

}  // namespace vitrine::coupons
