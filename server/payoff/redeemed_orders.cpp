#include "server/payoff/redeemed_orders.h"

#include <algorithm>

#include "base/status.h"
#include "server/payoff/homes.h"
#include "server/profiles/fixed_hash.h"

namespace vitrine::payoff {
namespace {

constexpr std::string_view k_redemptions = "r";  // where their keys begin: shelf_keys.h

}  // namespace

double RedeemedOrders::Order::net(double kept_share) const {
  if (is_returned) return 0;
  const auto whole = static_cast<double>(paid.minor);
  return std::min(whole * kept_share, whole - static_cast<double>(refunded.minor));
}

absl::StatusOr<RedeemedOrders> RedeemedOrders::read(const store::Database& database,
                                                    const identity::IdentityBook& identities,
                                                    const coupons::OfferBook& book,
                                                    std::string_view campaign) {
  RedeemedOrders orders;
  const auto cursor = database.walk(store::Family::grants, k_redemptions, true);
  for (; cursor->valid() && cursor->key().starts_with(k_redemptions); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const coupons::Order order, coupons::decode_order(cursor->value()));
    VITRINE_RETURN_IF_ERROR(orders.take(order, identities, book, campaign));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return orders;
}

absl::Status RedeemedOrders::take(const coupons::Order& order,
                                  const identity::IdentityBook& identities,
                                  const coupons::OfferBook& book, std::string_view campaign) {
  Order kept{.paid = {order.payable.minor - order.cart.shipping.minor},
             .is_returned = order.state == coupons::OrderState::returned};
  for (const coupons::Return& back : order.returns) {
    for (const Money part : back.refund_by_line) kept.refunded.minor += part.minor;
  }
  for (const coupons::Use& use : order.uses) {
    const auto offer = book.terms(use.offer, use.version).offer;
    if (!offer || offer->campaign != campaign) continue;
    kept.is_of_campaign = true;
    OfferCounts& counts = counts_[use.offer];
    ++counts.redeemed;
    counts.returned += order.returns.empty() ? 0 : 1;
  }
  orders_[profiles::fixed_hash(order.order_id)] = kept;
  if (!kept.is_of_campaign) return absl::OkStatus();
  ++currencies_[order.cart.currency];
  VITRINE_ASSIGN_OR_RETURN(const UserNumber user, home_of(identities, order.user));
  if (user != k_nobody) by_user_[user].push_back(order.time_ms);
  return absl::OkStatus();
}

const RedeemedOrders::Order* RedeemedOrders::find(std::uint64_t order_key) const {
  const auto place = orders_.find(order_key);
  return place == orders_.end() ? nullptr : &place->second;
}

const std::vector<TimeMs>& RedeemedOrders::times_of(UserNumber user) const {
  static const std::vector<TimeMs> none;
  const auto place = by_user_.find(user);
  return place == by_user_.end() ? none : place->second;
}

}  // namespace vitrine::payoff
