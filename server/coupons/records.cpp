#include "server/coupons/records.h"

#include <boost/json.hpp>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/stored_value.h"

namespace vitrine::coupons {
namespace {

namespace json = boost::json;

json::array amounts_json(const std::vector<Money>& amounts) {
  json::array all;
  for (const Money amount : amounts) all.push_back(amount.minor);
  return all;
}

std::vector<Money> amounts_in(const json::value& value) {
  std::vector<Money> all;
  for (const json::value& amount : value.as_array()) all.push_back({amount.as_int64()});
  return all;
}

// Keys of the store are no text.
json::array keys_json(const std::vector<std::string>& keys) {
  json::array all;
  for (const std::string& key : keys) all.emplace_back(to_hex(key));
  return all;
}

std::vector<std::string> keys_in(const json::value& value) {
  std::vector<std::string> all;
  for (const json::value& hex : value.as_array()) {
    const std::string digits = text(hex);
    std::string& key = all.emplace_back();
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
      key += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    }
  }
  return all;
}

json::array postings_json(const std::vector<Posting>& postings) {
  json::array all;
  for (const Posting& posting : postings) {
    all.push_back(json::array{posting.account, posting.committed, posting.held});
  }
  return all;
}

std::vector<Posting> postings_in(const json::value& value) {
  std::vector<Posting> all;
  for (const json::value& posting : value.as_array()) {
    all.push_back({text(posting.at(0)), posting.at(1).as_int64(), posting.at(2).as_int64()});
  }
  return all;
}

json::object use_json(const Use& use) {
  json::array counts;
  for (const Use::Count& count : use.counts) {
    counts.push_back(
        json::array{count.account, static_cast<std::int64_t>(count.measure), count.amount});
  }
  json::array gifts;
  for (const Gift& gift : use.gifts) {
    gifts.push_back(json::array{gift.product_id, gift.quantity, gift.price.minor});
  }
  return {{"offer", use.offer},
          {"version", use.version},
          {"code", use.code},
          {"grant", use.grant},
          {"by_line", amounts_json(use.by_line)},
          {"shipping", use.shipping.minor},
          {"points", use.points},
          {"pieces", use.pieces},
          {"gifts", std::move(gifts)},
          {"counts", std::move(counts)}};
}

Use use_in(const json::value& value) {
  Use use{.offer = text(value.at("offer")),
          .version = number(value.at("version")),
          .code = text(value.at("code")),
          .grant = number(value.at("grant")),
          .by_line = amounts_in(value.at("by_line")),
          .shipping = {value.at("shipping").as_int64()},
          .points = value.at("points").as_int64(),
          .pieces = value.at("pieces").as_int64()};
  for (const json::value& gift : value.at("gifts").as_array()) {
    use.gifts.push_back({text(gift.at(0)), gift.at(1).as_int64(), {gift.at(2).as_int64()}});
  }
  for (const json::value& count : value.at("counts").as_array()) {
    use.counts.push_back({.account = text(count.at(0)),
                          .measure = choice(count.at(1), Measure::points),
                          .amount = count.at(2).as_int64()});
  }
  return use;
}

json::object cart_json(const Cart& cart) {
  json::array lines;
  for (const CartLine& line : cart.lines) {
    lines.push_back(
        json::array{line.line_id, line.product_id, line.unit_price.minor, line.quantity});
  }
  return {{"lines", std::move(lines)},
          {"shipping", cart.shipping.minor},
          {"currency", cart.currency},
          {"market", cart.market},
          {"channel", cart.channel}};
}

Cart cart_in(const json::value& value) {
  Cart cart{.shipping = {value.at("shipping").as_int64()},
            .currency = text(value.at("currency")),
            .market = text(value.at("market")),
            .channel = text(value.at("channel"))};
  for (const json::value& line : value.at("lines").as_array()) {
    cart.lines.push_back(
        {text(line.at(0)), text(line.at(1)), {line.at(2).as_int64()}, line.at(3).as_int64()});
  }
  return cart;
}

json::object return_json(const Return& back) {
  json::array quantities(back.quantities.begin(), back.quantities.end());
  return {{"id", back.id},
          {"request_hash", back.request_hash},
          {"time", back.time_ms},
          {"quantities", std::move(quantities)},
          {"refund", back.refund.minor},
          {"refund_by_line", amounts_json(back.refund_by_line)},
          {"points", back.points_taken_back}};
}

Return return_in(const json::value& value) {
  return {.id = text(value.at("id")),
          .request_hash = text(value.at("request_hash")),
          .time_ms = value.at("time").as_int64(),
          .quantities = json::value_to<std::vector<std::int64_t>>(value.at("quantities")),
          .refund = {value.at("refund").as_int64()},
          .refund_by_line = amounts_in(value.at("refund_by_line")),
          .points_taken_back = value.at("points").as_int64()};
}

// Reads with `read`; what is not as it was written is DataLoss.
template <class T>
absl::StatusOr<T> decoded(std::string_view bytes, std::string_view what,
                          T (*read)(const json::value&)) {
  json::error_code error;
  const json::value parsed = json::parse({bytes.data(), bytes.size()}, error);
  if (error) return data_loss("a stored {} cannot be read", what);
  try {
    return read(parsed);
  } catch (const std::exception& fault) {
    return data_loss("a stored {} cannot be read: {}", what, fault.what());
  }
}

Grant grant_in(const json::value& value) {
  return {.number = number(value.at("number")),
          .code = text(value.at("code")),
          .offer = text(value.at("offer")),
          .offer_version = number(value.at("version")),
          .user = UserNumber(value.at("user").to_number<std::uint32_t>()),
          .issued_ms = value.at("issued").as_int64(),
          .valid_from_ms = value.at("from").as_int64(),
          .valid_until_ms = value.at("until").as_int64(),
          .uses = value.at("uses").as_int64(),
          .uses_max = value.at("uses_max").as_int64(),
          .reservation = number(value.at("reservation")),
          .was_returned = value.at("was_returned").as_bool(),
          .is_revoked = value.at("is_revoked").as_bool(),
          .has_lapsed = value.at("has_lapsed").as_bool(),
          .holds = postings_in(value.at("holds")),
          .decision_id = text(value.at("decision_id")),
          .round = text(value.at("round"))};
}

Order order_in(const json::value& value) {
  Order order{.number = number(value.at("number")),
              .order_id = text(value.at("order_id")),
              .user = UserNumber(value.at("user").to_number<std::uint32_t>()),
              .state = choice(value.at("state"), OrderState::returned),
              .time_ms = value.at("time").as_int64(),
              .expires_ms = value.at("expires").as_int64(),
              .request_hash = text(value.at("request_hash")),
              .cart = cart_in(value.at("cart")),
              .payable = {value.at("payable").as_int64()},
              .first_order_keys = keys_in(value.at("first_order_keys")),
              .reservation = number(value.at("reservation"))};
  for (const json::value& use : value.at("uses").as_array()) order.uses.push_back(use_in(use));
  for (const json::value& back : value.at("returns").as_array()) {
    order.returns.push_back(return_in(back));
  }
  return order;
}

}  // namespace

std::string_view name_of(GrantState state) {
  switch (state) {
    case GrantState::issued:
      return "issued";
    case GrantState::active:
      return "active";
    case GrantState::reserved:
      return "reserved";
    case GrantState::redeemed:
      return "redeemed";
    case GrantState::returned:
      return "returned";
    case GrantState::expired:
      return "expired";
    case GrantState::revoked:
      return "revoked";
  }
  return "";
}

std::string_view name_of(OrderState state) {
  switch (state) {
    case OrderState::held:
      return "held";
    case OrderState::released:
      return "released";
    case OrderState::expired:
      return "expired";
    case OrderState::applied:
      return "applied";
    case OrderState::partly_returned:
      return "partly_returned";
    case OrderState::returned:
      return "rolled_back";
  }
  return "";
}

GrantState Grant::state_at(TimeMs time_ms) const {
  if (is_revoked) return GrantState::revoked;
  if (uses >= uses_max) return was_returned ? GrantState::returned : GrantState::redeemed;
  if (has_lapsed || time_ms >= valid_until_ms) return GrantState::expired;
  if (reservation != 0) return GrantState::reserved;
  return time_ms < valid_from_ms ? GrantState::issued : GrantState::active;
}

std::string encode(const Grant& grant) {
  return json::serialize(json::object{{"number", grant.number},
                                      {"code", grant.code},
                                      {"offer", grant.offer},
                                      {"version", grant.offer_version},
                                      {"user", grant.user.value()},
                                      {"issued", grant.issued_ms},
                                      {"from", grant.valid_from_ms},
                                      {"until", grant.valid_until_ms},
                                      {"uses", grant.uses},
                                      {"uses_max", grant.uses_max},
                                      {"reservation", grant.reservation},
                                      {"was_returned", grant.was_returned},
                                      {"is_revoked", grant.is_revoked},
                                      {"has_lapsed", grant.has_lapsed},
                                      {"holds", postings_json(grant.holds)},
                                      {"decision_id", grant.decision_id},
                                      {"round", grant.round}});
}

absl::StatusOr<Grant> decode_grant(std::string_view bytes) {
  return decoded<Grant>(bytes, "grant", grant_in);
}

std::string encode(const Order& order) {
  json::array uses;
  for (const Use& use : order.uses) uses.push_back(use_json(use));
  json::array returns;
  for (const Return& back : order.returns) returns.push_back(return_json(back));
  return json::serialize(json::object{{"number", order.number},
                                      {"order_id", order.order_id},
                                      {"user", order.user.value()},
                                      {"state", static_cast<std::int64_t>(order.state)},
                                      {"time", order.time_ms},
                                      {"expires", order.expires_ms},
                                      {"request_hash", order.request_hash},
                                      {"cart", cart_json(order.cart)},
                                      {"uses", std::move(uses)},
                                      {"payable", order.payable.minor},
                                      {"first_order_keys", keys_json(order.first_order_keys)},
                                      {"reservation", order.reservation},
                                      {"returns", std::move(returns)}});
}

absl::StatusOr<Order> decode_order(std::string_view bytes) {
  return decoded<Order>(bytes, "order", order_in);
}

}  // namespace vitrine::coupons
