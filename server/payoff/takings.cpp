#include "server/payoff/takings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace vitrine::payoff {

using profiles::OrderSum;
using profiles::Profile;
using profiles::PurchaseLine;

Cashbook::Cashbook(std::shared_ptr<const catalog::CatalogSnapshot> catalog,
                   const RedeemedOrders& orders, std::string currency)
    : catalog_(std::move(catalog)),
      orders_(orders),
      currency_(std::move(currency)),
      currency_code_(profiles::currency_code_of(currency_)),
      minor_units_(std::pow(10.0, currency_digits(currency_))) {}

std::optional<double> Cashbook::cost_of(ProductNumber product) {
  const auto [place, is_new] = costs_.try_emplace(product);
  if (!is_new) return place->second;
  const Product* const known = catalog_->find(product);
  if (known == nullptr || known->currency != currency_) return std::nullopt;
  const auto text = known->attributes.find(std::string(k_cost));
  if (text == known->attributes.end()) return std::nullopt;
  const absl::StatusOr<Money> cost = parse_money(text->second, currency_);
  if (cost.ok() && cost->minor >= 0) place->second = static_cast<double>(cost->minor);
  return place->second;
}

void Cashbook::add_line(const PurchaseLine& line, Sold& sold) {
  const auto gross = static_cast<double>(line.paid.minor);
  const auto pieces = static_cast<double>(line.pieces);
  const double kept =
      line.pieces == 0 ? 1 : 1 - static_cast<double>(std::min(line.pieces, line.returned)) / pieces;
  sold.gross += gross;
  sold.net += gross * kept;
  const std::optional<double> cost = cost_of(line.product);
  if (!cost) return;
  sold.cost += *cost * pieces * kept;
  sold.net_with_cost += gross * kept;
}

Takings Cashbook::takings_of(UserNumber user, const Profile& profile, TimeMs from_ms,
                             TimeMs until_ms) {
  Takings takings;
  const auto is_inside = [&](TimeMs time_ms) { return from_ms <= time_ms && time_ms < until_ms; };
  takings.has_redeemed = std::ranges::any_of(orders_.times_of(user), is_inside);
  // Purchases without an order are one order a line, as orders_of() has them.
  std::map<std::pair<std::uint64_t, TimeMs>, Sold> sold;
  const auto key_of = [](std::uint64_t order_key, TimeMs time_ms) {
    return std::pair(order_key, order_key == 0 ? time_ms : 0);
  };
  for (const PurchaseLine& line : profile.lines) {
    if (line.purchases == 0 || line.is_cancelled || line.paid.currency != currency_code_) continue;
    if (line.order_key == 0 && !is_inside(line.last_ms)) continue;
    add_line(line, sold[key_of(line.order_key, line.last_ms)]);
  }
  for (const OrderSum& order : profiles::orders_of(profile)) {
    if (!is_inside(order.time_ms)) continue;
    takings.orders += order.count;
    const RedeemedOrders::Order* const redeemed =
        order.order_key == 0 ? nullptr : orders_.find(order.order_key);
    if (redeemed != nullptr && redeemed->is_of_campaign) takings.has_redeemed = true;
    const auto lines = sold.find(key_of(order.order_key, order.time_ms));
    if (lines == sold.end()) {
      takings.other_currency += order.count;
      continue;
    }
    const Sold& of = lines->second;
    const double kept_share = of.gross > 0 ? of.net / of.gross : 1;
    const double net = redeemed != nullptr ? redeemed->net(kept_share) : of.net;
    takings.revenue += net / minor_units_;
    takings.cost += of.cost / minor_units_;
    takings.sold += of.net / minor_units_;
    takings.sold_with_cost += of.net_with_cost / minor_units_;
    if (order.order_key == 0) lines->second = {};  // several at one time are one sum
  }
  return takings;
}

}  // namespace vitrine::payoff
