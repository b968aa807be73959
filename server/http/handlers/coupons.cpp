// Coupons before an order: POST /v1/coupons/claim, /qualify and /validate; grants.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/http/handlers/checkout_json.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/handlers/shopper.h"
#include "server/http/query_reader.h"
#include "server/http/user_token.h"
#include "server/http/wrong_codes.h"

namespace vitrine::http {
namespace {

using coupons::Checkout;
using coupons::Desk;
using coupons::Reason;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::int64_t k_grants_usual = 100;
constexpr std::int64_t k_grants_max = 1000;

struct Call {
  Checkout checkout;
  std::int64_t hold_seconds = 0;
};

absl::Status too_many_wrong() {
  return overloaded("too many codes were tried that there are not: at most {} in {} minutes",
                    WrongCodes::k_wrong_max, WrongCodes::k_window_ms / k_minute_ms);
}

absl::StatusOr<Call> read_call(const Services& services, const Request& request, bool may_hold) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Call call;
  VITRINE_ASSIGN_OR_RETURN(call.checkout, read_checkout(reader, "order_ref", false, request.body));
  const std::string_view token = reader.text("user_token", k_user_token_bytes_max).value_or("");
  if (may_hold) {
    call.hold_seconds =
        reader.integer("hold_seconds", 0, Desk::k_hold_max_ms / k_second_ms).value_or(0);
    if (call.hold_seconds > 0 && call.checkout.order_id.empty()) {
      reader.refuse("order_ref", "is needed to hold something for it");
    }
    if (call.hold_seconds > 0 && !request.scopes.allow(Scope::marketing)) {
      return make_status(absl::StatusCode::kPermissionDenied,
                         "hold_seconds needs a key with the scope marketing");
    }
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(check_shopper(services, request, call.checkout.user_id, token));
  if (!call.checkout.codes.empty() &&
      !services.wrong_codes.may_try(request.peer, call.checkout.user_id, services.clock.now_ms())) {
    return too_many_wrong();
  }
  call.checkout.shopper = shopper_of(services, call.checkout.user_id);
  return call;
}

void note_wrong(const Services& services, std::uint64_t peer, const std::string& user_id,
                const std::vector<coupons::Denied>& denied) {
  const auto wrong = std::ranges::count_if(
      denied, [](const coupons::Denied& one) { return one.denial.reason == Reason::unknown_code; });
  services.wrong_codes.note(peer, user_id, static_cast<std::size_t>(wrong),
                            services.clock.now_ms());
}

absl::StatusOr<Response> qualify(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const Call call, read_call(services, request, false));
  VITRINE_ASSIGN_OR_RETURN(const auto all, services.coupons.qualify(call.checkout));
  const std::string& currency = call.checkout.cart.currency;
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("coupons").begin_array();
  for (const Desk::Qualified& one : all) {
    json.begin_object().field("offer", one.offer->id).field("name", one.offer->name);
    json.field("kind", name_of(one.offer->effect.kind)).key("code");
    one.grant && !one.is_to_be_claimed ? json.value(one.grant->code) : json.null();
    json.field("to_be_claimed", one.is_to_be_claimed).field("usable", !one.denial.has_value());
    json.field("discount", format_money(one.discount, currency)).field("points", one.points);
    json.key("valid_until");
    const bool is_bounded = one.grant && one.grant->valid_until_ms != coupons::Campaign::k_never_ms;
    is_bounded ? json.value(format_time(one.grant->valid_until_ms)) : json.null();
    json.key("denial");
    if (one.denial) {
      json.begin_object();
      append_denial(json, *one.denial, currency);
      json.end_object();
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

Response checked_response(const coupons::Evaluation& evaluation, const coupons::Cart& cart) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  append_priced(json, cart, evaluation.uses, evaluation.priced.payable);
  append_denied(json, "denied", evaluation.denied, cart.currency);
  json.key("reservation").null().end_object();
  return json_response(std::move(body));
}

Response held_response(const coupons::Order& order) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  append_priced(json, order.cart, order.uses, order.payable);
  append_denied(json, "denied", {}, order.cart.currency);
  json.key("reservation").begin_object().field("reservation", order.number);
  json.field("order_ref", order.order_id).field("expires_at", format_time(order.expires_ms));
  json.end_object().end_object();
  return json_response(std::move(body));
}

void validate(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<Call> call = read_call(services, request, true);
  if (!call.ok()) return reply.fail(call.status());
  const std::uint64_t peer = request.peer;
  if (call->hold_seconds == 0) {
    const auto evaluation = services.coupons.check(call->checkout);
    if (!evaluation.ok()) return reply.fail(evaluation.status());
    note_wrong(services, peer, call->checkout.user_id, evaluation->denied);
    return reply.send(checked_response(*evaluation, call->checkout.cart));
  }
  const LaterReply later(std::move(reply));
  const std::string user_id = call->checkout.user_id;
  const coupons::Cart cart = call->checkout.cart;
  later.fail_unless_ok(services.coupons.hold(
      std::move(call->checkout), call->hold_seconds * k_second_ms,
      [&services, later, peer, user_id, cart](absl::StatusOr<Desk::Outcome> outcome) {
        if (!outcome.ok()) return later->fail(outcome.status());
        if (outcome->order) return later->send(held_response(*outcome->order));
        note_wrong(services, peer, user_id, outcome->denied);
        coupons::Evaluation nothing;
        nothing.denied = std::move(outcome->denied);
        nothing.priced.payable = {cart.subtotal().minor + cart.shipping.minor};
        later->send(checked_response(nothing, cart));
      }));
}

void claim(const Services& services, const Request& request, Reply reply) {
  const auto read = [&]() -> absl::StatusOr<Desk::Issue> {
    VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
    JsonDocument document;
    VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
    ObjectReader reader(document.root(), "");
    Desk::Issue issue{.is_claim = true};
    issue.offer = reader.required_text("offer", k_id_bytes_max);
    issue.user_ids = {std::string(reader.required_text("user_id", k_id_bytes_max))};
    const std::string_view token = reader.text("user_token", k_user_token_bytes_max).value_or("");
    VITRINE_RETURN_IF_ERROR(reader.finish());
    VITRINE_RETURN_IF_ERROR(check_shopper(services, request, issue.user_ids[0], token));
    issue.shopper = shopper_of(services, issue.user_ids[0]);
    return issue;
  };
  absl::StatusOr<Desk::Issue> issue = read();
  if (!issue.ok()) return reply.fail(issue.status());
  const LaterReply later(std::move(reply));
  const std::string offer = issue->offer;
  later.fail_unless_ok(services.coupons.issue(
      *std::move(issue),
      [&services, later, offer](absl::StatusOr<std::vector<Desk::Issued>> issued) {
        if (!issued.ok()) return later->fail(issued.status());
        if (issued->empty()) return later->fail(not_found("this user was erased"));
        const Desk::Issued& one = issued->front();
        if (one.denial) {
          const std::vector<coupons::Denied> denied{{"", offer, *one.denial}};
          services.coupons.note(denied);
          return later->send(denied_response(denied, "EUR", later->request_id()));
        }
        std::string body;
        JsonWriter json(body);
        append_grant(json, *one.grant, services.clock.now_ms());
        later->send(json_response(std::move(body), one.is_new ? 201 : 200));
      }));
}

absl::StatusOr<Desk::Issue> read_issue(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Desk::Issue issue;
  issue.offer = reader.required_text("offer", k_id_bytes_max);
  issue.round = reader.text("round", k_id_bytes_max).value_or("1");
  for (const std::string_view id : reader.texts("user_ids", Desk::k_issued_max, k_id_bytes_max)) {
    issue.user_ids.emplace_back(id);
  }
  issue.is_for_everybody = reader.boolean("for_everybody").value_or(false);
  issue.codes =
      reader.integer("codes", 1, static_cast<std::int64_t>(Desk::k_issued_max)).value_or(0);
  if (issue.user_ids.empty() == (issue.codes == 0)) {
    reader.refuse("user_ids", "or codes must be given, and not both");
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return issue;
}

void issue_grants(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<Desk::Issue> issue = read_issue(services, request);
  if (!issue.ok()) return reply.fail(issue.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.coupons.issue(
      *std::move(issue), [&services, later](absl::StatusOr<std::vector<Desk::Issued>> issued) {
        if (!issued.ok()) return later->fail(issued.status());
        std::string body;
        JsonWriter json(body);
        json.begin_object().key("grants").begin_array();
        for (const Desk::Issued& one : *issued) {
          json.begin_object().key("user_id");
          one.user_id.empty() ? json.null() : json.value(one.user_id);
          json.field("new", one.is_new).key("grant");
          if (one.grant) {
            append_grant(json, *one.grant, services.clock.now_ms());
          } else {
            json.null();
          }
          json.key("reason");
          if (one.denial) {
            json.value(name_of(one.denial->reason));
          } else {
            one.withheld ? json.value(name_of(*one.withheld)) : json.null();
          }
          json.end_object();
        }
        json.end_array().end_object();
        later->send(json_response(std::move(body)));
      }));
}

absl::StatusOr<Response> list_grants(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const std::string_view user_id = query.text("user_id", k_id_bytes_max).value_or("");
  const std::int64_t limit = query.integer("limit", 1, k_grants_max).value_or(k_grants_usual);
  if (user_id.empty()) query.refuse("user_id", "is needed");
  VITRINE_RETURN_IF_ERROR(query.finish());
  const UserNumber user = services.identities.find(user_id, "").user;
  std::vector<coupons::Grant> grants;
  if (user != k_nobody) {
    VITRINE_ASSIGN_OR_RETURN(grants,
                             services.coupons.grants_of(user, static_cast<std::size_t>(limit)));
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("grants").begin_array();
  for (const coupons::Grant& grant : grants) append_grant(json, grant, services.clock.now_ms());
  json.end_array().end_object();
  return json_response(std::move(body));
}

void revoke_grant(const Services& services, const Request& request, Reply reply) {
  std::uint64_t number = 0;
  const std::string_view text = request.path("grant");
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return reply.fail(field_error("grant", "grant must be its number"));
  }
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(
      services.coupons.revoke(number, [&services, later](absl::StatusOr<coupons::Grant> grant) {
        if (!grant.ok()) return later->fail(grant.status());
        std::string body;
        JsonWriter json(body);
        append_grant(json, *grant, services.clock.now_ms());
        later->send(json_response(std::move(body)));
      }));
}

}  // namespace

void add_coupon_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/coupons/qualify", Scope::recommend,
             answer_at_once([&services](Request& request) { return qualify(services, request); }));
  router.add("POST", "/v1/coupons/validate", Scope::recommend,
             [&services](Request& request, Reply reply) {
               validate(services, request, std::move(reply));
             });
  router.add(
      "POST", "/v1/coupons/claim", Scope::recommend,
      [&services](Request& request, Reply reply) { claim(services, request, std::move(reply)); });
  router.add("POST", "/v1/grants", Scope::marketing, [&services](Request& request, Reply reply) {
    issue_grants(services, request, std::move(reply));
  });
  router.add("GET", "/v1/grants", Scope::marketing, answer_at_once([&services](Request& request) {
               return list_grants(services, request);
             }));
  router.add("POST", "/v1/grants/{grant}/revoke", Scope::marketing,
             [&services](Request& request, Reply reply) {
               revoke_grant(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
