// What a coupon is expected to bring and to cost when it is used, from its terms and the prices of
// what it covers.
//
// Estimates for ranking; what is paid is said by pricing.h alone. Pure functions; thread-safe.
#pragma once

#include <string>

#include "server/coupons/offer.h"

namespace vitrine::coupons {

// In whole units of the currency.
struct CouponWorth {
  double spend = 0;  // what is bought with it
  double cost = 0;   // what is taken off
  double net() const { return spend - cost; }
};

// What the shop knows of the products it covers.
struct CoveredPrices {
  double usual = 0;      // mean price, weighted by how much is wanted; 0: none is known
  double gift = 0;       // of one gift of an exchange
  double set_price = 0;  // of a bundle's set without the offer
};

// Precondition: the offer passes validate().
CouponWorth worth_of(const Offer& offer, const Amounts& amounts, const CoveredPrices& prices);

// "20.00 EUR off from 100.00 EUR": what it does, for people.
std::string sentence_of(const Offer& offer, const Amounts& amounts);

}  // namespace vitrine::coupons
