#include "server/http/handlers/checkout_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/http/campaign_json.h"

namespace vitrine::http {
namespace {

using coupons::Cart;
using coupons::CartLine;
using coupons::Checkout;
using coupons::Denial;
using coupons::Reason;
using coupons::Use;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_word_bytes_max = 100;
constexpr ErrorKind k_refused{422, "refused"};

absl::StatusOr<CartLine> read_line(const boost::json::value& value, std::size_t place,
                                   std::string_view currency) {
  ObjectReader reader(value, fmt::format("lines[{}]", place));
  CartLine line;
  line.line_id = reader.text("line_id", k_id_bytes_max).value_or(std::to_string(place + 1));
  line.product_id = reader.required_text("product_id", k_id_bytes_max);
  line.quantity = reader.integer("quantity", 1, CartLine::k_quantity_max).value_or(1);
  const auto price = read_amount(reader, "unit_price", currency);
  if (!price) reader.refuse("unit_price", "is needed, as \"19.90\"");
  line.unit_price = price.value_or(Money{});
  if (line.unit_price.minor > CartLine::k_amount_max / line.quantity) {
    reader.refuse("unit_price", fmt::format("times quantity must be at most {}",
                                            format_money({CartLine::k_amount_max}, currency)));
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return line;
}

absl::Status read_lines(ObjectReader& reader, Cart& cart) {
  const boost::json::array* const lines = reader.array("lines", Cart::k_lines_max);
  if (lines == nullptr || lines->empty()) {
    return field_error("lines", fmt::format("lines must hold 1 to {} lines", Cart::k_lines_max));
  }
  std::set<std::string> ids;
  for (const boost::json::value& value : *lines) {
    VITRINE_ASSIGN_OR_RETURN(CartLine line, read_line(value, cart.lines.size(), cart.currency));
    if (!ids.insert(line.line_id).second) {
      return field_error("lines", fmt::format("lines has the line_id {} twice", line.line_id));
    }
    cart.lines.push_back(std::move(line));
  }
  return absl::OkStatus();
}

std::string money(Money amount, const Cart& cart) { return format_money(amount, cart.currency); }

void append_use(JsonWriter& json, const Cart& cart, const Use& use) {
  json.begin_object().field("offer", use.offer).key("code");
  use.code.empty() ? json.null() : json.value(use.code);
  json.field("discount", money(use.total(), cart));
  json.field("shipping_discount", money(use.shipping, cart)).field("points", use.points);
  json.key("lines").begin_array();
  for (std::size_t i = 0; i < use.by_line.size(); ++i) {
    if (use.by_line[i].minor == 0) continue;
    json.begin_object().field("line_id", cart.lines[i].line_id);
    json.field("discount", money(use.by_line[i], cart)).end_object();
  }
  json.end_array().key("gifts").begin_array();
  for (const coupons::Gift& gift : use.gifts) {
    json.begin_object().field("product_id", gift.product_id).field("quantity", gift.quantity);
    json.field("price", money(gift.price, cart)).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

absl::StatusOr<Checkout> read_checkout(ObjectReader& reader, std::string_view order_field,
                                       bool needs_order, std::string_view bytes) {
  Checkout checkout;
  Cart& cart = checkout.cart;
  if (needs_order) {
    checkout.order_id = reader.required_text(order_field, k_id_bytes_max);
  } else {
    checkout.order_id = reader.text(order_field, k_id_bytes_max).value_or("");
  }
  checkout.user_id = reader.text("user_id", k_id_bytes_max).value_or("");
  cart.currency = reader.required_text("currency", k_word_bytes_max);
  if (!is_currency(cart.currency)) {
    reader.refuse("currency",
                  fmt::format("must be three capital letters as EUR, got '{}'", cart.currency));
  }
  if (!reader.ok()) return reader.finish();
  cart.market = reader.text("market", k_word_bytes_max).value_or("");
  cart.channel = reader.text("channel", k_word_bytes_max).value_or("");
  VITRINE_RETURN_IF_ERROR(read_lines(reader, cart));
  cart.shipping = read_amount(reader, "shipping", cart.currency).value_or(Money{});
  if (cart.shipping.minor > CartLine::k_amount_max) reader.refuse("shipping", "is too large");
  for (const std::string_view code :
       reader.texts("coupons", Checkout::k_codes_max, k_word_bytes_max)) {
    checkout.codes.emplace_back(code);
  }
  for (const std::string_view one :
       reader.texts("identifiers", Checkout::k_identifiers_max, k_id_bytes_max)) {
    checkout.identifiers.emplace_back(one);
  }
  checkout.with_automatic = reader.boolean("automatic").value_or(true);
  checkout.request_hash = to_hex(sha256(bytes));
  return checkout;
}

void append_denial(JsonWriter& json, const Denial& denial, std::string_view currency) {
  json.field("reason", name_of(denial.reason)).field("message", meaning_of(denial.reason));
  if (denial.reason == Reason::min_spend) {
    json.field("missing", format_money(denial.missing, currency)).key("unlocks");
    denial.unlocks.minor == 0 ? json.null() : json.value(format_money(denial.unlocks, currency));
  }
  if (denial.reason == Reason::min_quantity) json.field("missing_quantity", denial.pieces);
  if (denial.reason == Reason::not_stackable) append_words(json, "with", denial.with);
}

void append_denied(JsonWriter& json, std::string_view name,
                   const std::vector<coupons::Denied>& denied, std::string_view currency) {
  json.key(name).begin_array();
  for (const coupons::Denied& one : denied) {
    json.begin_object().key("code");
    one.code.empty() ? json.null() : json.value(one.code);
    json.key("offer");
    one.offer.empty() ? json.null() : json.value(one.offer);
    append_denial(json, one.denial, currency);
    json.end_object();
  }
  json.end_array();
}

void append_priced(JsonWriter& json, const Cart& cart, const std::vector<Use>& uses,
                   Money payable) {
  Money discount;
  Money shipping_discount;
  std::int64_t points = 0;
  for (const Use& use : uses) {
    discount.minor += use.total().minor;
    shipping_discount.minor += use.shipping.minor;
    points += use.points;
  }
  json.field("currency", cart.currency).field("subtotal", money(cart.subtotal(), cart));
  json.field("shipping", money(cart.shipping, cart)).field("discount", money(discount, cart));
  json.field("shipping_discount", money(shipping_discount, cart));
  json.field("payable", money(payable, cart)).field("points", points).key("lines").begin_array();
  for (std::size_t i = 0; i < cart.lines.size(); ++i) {
    const CartLine& line = cart.lines[i];
    Money off;
    for (const Use& use : uses) off.minor += use.by_line[i].minor;
    json.begin_object().field("line_id", line.line_id).field("product_id", line.product_id);
    json.field("amount", money(line.amount(), cart)).field("discount", money(off, cart));
    json.field("net", money({line.amount().minor - off.minor}, cart)).end_object();
  }
  json.end_array().key("applied").begin_array();
  for (const Use& use : uses) append_use(json, cart, use);
  json.end_array();
}

void append_grant(JsonWriter& json, const coupons::Grant& grant, TimeMs now_ms) {
  json.begin_object().field("grant", grant.number).field("code", grant.code);
  json.field("offer", grant.offer).field("offer_version", grant.offer_version);
  json.field("state", name_of(grant.state_at(now_ms)));
  json.field("issued_at", format_time(grant.issued_ms));
  json.field("valid_from", format_time(grant.valid_from_ms)).key("valid_until");
  if (grant.valid_until_ms == coupons::Campaign::k_never_ms) {
    json.null();
  } else {
    json.value(format_time(grant.valid_until_ms));
  }
  json.field("uses", grant.uses).field("uses_max", grant.uses_max).end_object();
}

Response denied_response(const std::vector<coupons::Denied>& denied, std::string_view currency,
                         std::string_view request_id) {
  const coupons::Denied& first = denied.front();
  const std::string message =
      fmt::format("{}: {}, {}", first.code.empty() ? first.offer : first.code,
                  name_of(first.denial.reason), meaning_of(first.denial.reason));
  Response response = error_response(k_refused, message, "", request_id);
  std::string beside;
  JsonWriter json(beside);
  json.begin_object();
  append_denied(json, "denied", denied, currency);
  json.end_object();
  response.body.back() = ',';
  response.body += std::string_view(beside).substr(1);
  return response;
}

}  // namespace vitrine::http
