// Coupons of orders: POST and GET /v1/redemptions, returns, and releases of what is held.
#include <charconv>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/http/handlers/checkout_json.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/handlers/shopper.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using coupons::Desk;
using coupons::Order;

constexpr std::size_t k_id_bytes_max = 256;

std::string money(Money amount, const Order& order) {
  return format_money(amount, order.cart.currency);
}

// The same for every answer to the same redemption: what came back later is not in it.
void append_redemption(JsonWriter& json, const Order& order, std::string_view state) {
  json.begin_object().field("order_id", order.order_id).field("state", state);
  json.field("redeemed_at", format_time(order.time_ms)).key("reservation");
  order.reservation == 0 ? json.null() : json.value(order.reservation);
  append_priced(json, order.cart, order.uses, order.payable);
}

Response redeemed_response(const Order& order) {
  std::string body;
  JsonWriter json(body);
  append_redemption(json, order, name_of(coupons::OrderState::applied));
  json.end_object();
  return json_response(std::move(body));
}

void append_return(JsonWriter& json, const Order& order, const coupons::Return& back) {
  json.begin_object().field("return_id", back.id);
  json.field("returned_at", format_time(back.time_ms)).field("refund", money(back.refund, order));
  json.field("points_taken_back", back.points_taken_back).key("lines").begin_array();
  for (std::size_t i = 0; i < back.quantities.size(); ++i) {
    if (back.quantities[i] == 0 && back.refund_by_line[i].minor == 0) continue;
    json.begin_object().field("line_id", order.cart.lines[i].line_id);
    json.field("quantity", back.quantities[i]);
    json.field("refund", money(back.refund_by_line[i], order)).end_object();
  }
  json.end_array().end_object();
}

Desk::OnOutcome answer_redemption(const LaterReply& later, std::string currency) {
  return [later, currency = std::move(currency)](absl::StatusOr<Desk::Outcome> outcome) {
    if (!outcome.ok()) return later->fail(outcome.status());
    if (!outcome->order) {
      return later->send(denied_response(outcome->denied, currency, later->request_id()));
    }
    later->send(redeemed_response(*outcome->order));
  };
}

absl::Status redeem(const Services& services, const Request& request, const LaterReply& later) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  if (reader.has("reservation")) {
    const auto reservation =
        reader.integer("reservation", 1, std::numeric_limits<std::int64_t>::max()).value_or(0);
    const std::string order_id(reader.required_text("order_id", k_id_bytes_max));
    VITRINE_RETURN_IF_ERROR(reader.finish());
    return services.coupons.redeem_held(static_cast<std::uint64_t>(reservation), order_id,
                                        to_hex(sha256(request.body)),
                                        answer_redemption(later, "EUR"));
  }
  VITRINE_ASSIGN_OR_RETURN(coupons::Checkout checkout,
                           read_checkout(reader, "order_id", true, request.body));
  VITRINE_RETURN_IF_ERROR(reader.finish());
  checkout.shopper = shopper_of(services, checkout.user_id);
  const std::string currency = checkout.cart.currency;
  return services.coupons.redeem(std::move(checkout), answer_redemption(later, currency));
}

absl::StatusOr<Response> get_redemption(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const std::optional<Order> order,
                           services.coupons.redemption(request.path("order")));
  if (!order) return not_found("there is no redemption of order {}", request.path("order"));
  std::string body;
  JsonWriter json(body);
  append_redemption(json, *order, name_of(order->state));
  json.key("returns").begin_array();
  for (const coupons::Return& back : order->returns) append_return(json, *order, back);
  json.end_array().end_object();
  return json_response(std::move(body));
}

absl::Status give_back(const Services& services, const Request& request, const LaterReply& later) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  const std::string return_id(reader.required_text("return_id", k_id_bytes_max));
  std::vector<Desk::ReturnedLine> lines;
  if (const auto* const all = reader.array("lines", coupons::Cart::k_lines_max)) {
    for (const boost::json::value& value : *all) {
      ObjectReader inner(value, fmt::format("lines[{}]", lines.size()));
      Desk::ReturnedLine line;
      line.line_id = inner.required_text("line_id", k_id_bytes_max);
      line.quantity = inner.integer("quantity", 1, coupons::CartLine::k_quantity_max).value_or(1);
      VITRINE_RETURN_IF_ERROR(inner.finish());
      lines.push_back(std::move(line));
    }
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return services.coupons.give_back(
      std::string(request.path("order")), return_id, std::move(lines), to_hex(sha256(request.body)),
      [later](absl::StatusOr<Desk::Outcome> outcome) {
        if (!outcome.ok()) return later->fail(outcome.status());
        const Order order = std::move(outcome->order).value_or(Order{});
        if (order.returns.empty()) return later->fail(internal_error("a return without a record"));
        std::string body;
        JsonWriter json(body);
        append_return(json, order, order.returns.back());
        later->send(json_response(std::move(body)));
      });
}

absl::Status release(const Services& services, const Request& request, const LaterReply& later) {
  std::uint64_t number = 0;
  const std::string_view text = request.path("reservation");
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return field_error("reservation", "reservation must be its number");
  }
  return services.coupons.release(number, [later](absl::StatusOr<Desk::Outcome> outcome) {
    if (!outcome.ok()) return later->fail(outcome.status());
    std::string body;
    JsonWriter(body)
        .begin_object()
        .field("reservation", outcome->order->number)
        .field("state", name_of(outcome->order->state))
        .end_object();
    later->send(json_response(std::move(body)));
  });
}

using Write = absl::Status (*)(const Services&, const Request&, const LaterReply&);
Handler later_by(const Services& services, Write write) {
  return [&services, write](Request& request, Reply reply) {
    const LaterReply later(std::move(reply));
    later.fail_unless_ok(write(services, request, later));
  };
}

}  // namespace

void add_redemption_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/redemptions", Scope::marketing, later_by(services, redeem));
  router.add(
      "GET", "/v1/redemptions/{order}", Scope::marketing,
      answer_at_once([&services](Request& request) { return get_redemption(services, request); }));
  router.add("POST", "/v1/redemptions/{order}/return", Scope::marketing,
             later_by(services, give_back));
  router.add("POST", "/v1/reservations/{reservation}/release", Scope::marketing,
             later_by(services, release));
}

}  // namespace vitrine::http
