// Orders that were paid for with coupons: what was left to pay, and which of them used the
// campaign.
//
// Thread-safety: a value.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/money.h"
#include "server/coupons/offer_book.h"
#include "server/coupons/records.h"
#include "server/identity/identity_book.h"
#include "server/store/database.h"

namespace vitrine::payoff {

class RedeemedOrders {
 public:
  struct Order {
    Money paid = {};      // for products, less what all coupons took off, free shipping included
    Money refunded = {};  // of that, when the redemption was returned
    bool is_of_campaign = false;
    bool is_returned = false;  // as a whole

    // What is left, of the share of the pieces that events say were kept.
    double net(double kept_share) const;
  };
  struct OfferCounts {
    std::uint64_t redeemed = 0;  // orders
    std::uint64_t returned = 0;  // of those, as a whole or in part
  };

  // All redemptions there are.
  static absl::StatusOr<RedeemedOrders> read(const store::Database& database,
                                             const identity::IdentityBook& identities,
                                             const coupons::OfferBook& book,
                                             std::string_view campaign);

  // By the key that profiles have for orders; null for one without coupons.
  const Order* find(std::uint64_t order_key) const;
  // When this person redeemed something of the campaign.
  const std::vector<TimeMs>& times_of(UserNumber user) const;
  const std::map<std::string, OfferCounts, std::less<>>& counts() const { return counts_; }
  // In which the campaign was redeemed, by currency.
  const std::map<std::string, std::uint64_t, std::less<>>& currencies() const {
    return currencies_;
  }

 private:
  absl::Status take(const coupons::Order& order, const identity::IdentityBook& identities,
                    const coupons::OfferBook& book, std::string_view campaign);

  absl::flat_hash_map<std::uint64_t, Order> orders_;
  absl::flat_hash_map<UserNumber, std::vector<TimeMs>> by_user_;
  std::map<std::string, OfferCounts, std::less<>> counts_;
  std::map<std::string, std::uint64_t, std::less<>> currencies_;
};

}  // namespace vitrine::payoff
