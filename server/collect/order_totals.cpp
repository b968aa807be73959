#include "server/collect/order_totals.h"

#include <array>
#include <optional>

namespace vitrine::collect {
namespace {

namespace json = boost::json;

struct Totals {
  std::optional<Money> subtotal;
  std::optional<Money> total;
  std::optional<Money> revenue;
  std::optional<Money> value;
  std::optional<Money> shipping;
  std::optional<Money> tax;
  std::optional<Money> discount;
};

struct Net {
  std::string_view rule;
  Money amount;
};

Money less(Money whole, const std::optional<Money>& part) {
  return Money{whole.minor - part.value_or(Money{}).minor};
}

std::optional<Net> net_of(const Totals& given) {
  std::array<std::optional<Net>, 4> rules;
  if (given.subtotal) rules[0] = {"subtotal", *given.subtotal};
  if (given.total) {
    rules[1] = {"total_less_shipping_and_tax", less(less(*given.total, given.shipping), given.tax)};
  }
  if (given.revenue) rules[2] = {"revenue_less_discount", less(*given.revenue, given.discount)};
  if (given.value) rules[3] = {"value", *given.value};
  for (const std::optional<Net>& net : rules) {
    if (net && net->amount >= Money{}) return net;
  }
  return std::nullopt;
}

}  // namespace

json::object order_totals(JsonFields& order, std::string_view currency) {
  json::object told;
  const auto amount = [&](std::string_view name) {
    const std::optional<Money> found = order.readable_money({name}, currency);
    if (found)
      told.emplace(json::string_view(name.data(), name.size()), format_money(*found, currency));
    return found;
  };
  const Totals given{.subtotal = amount("subtotal"),
                     .total = amount("total"),
                     .revenue = amount("revenue"),
                     .value = amount("value"),
                     .shipping = amount("shipping"),
                     .tax = amount("tax"),
                     .discount = amount("discount")};
  if (const std::optional<Net> net = net_of(given)) {
    told.emplace("net", format_money(net->amount, currency));
    told.emplace("net_rule", json::string_view(net->rule.data(), net->rule.size()));
  }
  return told;
}

}  // namespace vitrine::collect
