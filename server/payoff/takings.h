// What one person brought in during a while: orders that were kept, what was paid for them, and
// what the products cost the shop.
//
// Money in whole units of one currency; orders in another count as orders only. A product costs
// what its attribute `cost` says, a decimal in the product's currency. Pure but for the costs,
// which are remembered; one thread.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "server/catalog/catalog.h"
#include "server/payoff/redeemed_orders.h"
#include "server/profiles/profile.h"

namespace vitrine::payoff {

struct Takings {
  double orders = 0;
  double revenue = 0;                // less coupons and returns
  double cost = 0;                   // of the products whose cost is known
  double sold = 0;                   // at the shop's prices, of all that was kept
  double sold_with_cost = 0;         // likewise, of the products whose cost is known
  std::uint64_t other_currency = 0;  // orders
  bool has_redeemed = false;         // an offer of the campaign
};

class Cashbook {
 public:
  static constexpr std::string_view k_cost = "cost";  // the attribute

  // `orders` outlives it.
  Cashbook(std::shared_ptr<const catalog::CatalogSnapshot> catalog, const RedeemedOrders& orders,
           std::string currency);

  // In [from_ms, until_ms).
  Takings takings_of(UserNumber user, const profiles::Profile& profile, TimeMs from_ms,
                     TimeMs until_ms);

 private:
  struct Sold {  // of one order, as events told it
    double gross = 0;
    double net = 0;  // of what was not returned
    double cost = 0;
    double net_with_cost = 0;
  };
  void add_line(const profiles::PurchaseLine& line, Sold& sold);
  std::optional<double> cost_of(ProductNumber product);

  std::shared_ptr<const catalog::CatalogSnapshot> catalog_;
  const RedeemedOrders& orders_;
  const std::string currency_;
  const std::uint32_t currency_code_;
  const double minor_units_;
  absl::flat_hash_map<ProductNumber, std::optional<double>> costs_;  // minor units
};

}  // namespace vitrine::payoff
