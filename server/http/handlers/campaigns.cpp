// Campaigns and offers: GET, PUT and DELETE /v1/campaigns/{campaign} and /v1/offers/{offer}, their
// lists, and what an offer has given so far.
#include <set>
#include <utility>

#include "base/status.h"
#include "server/coupons/accounts.h"
#include "server/coupons/desk.h"
#include "server/http/campaign_json.h"
#include "server/http/coupon_store.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/offer_json.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using coupons::Campaign;
using coupons::Measure;
using coupons::Offer;

void append(JsonWriter& json, const Campaign& campaign, TimeMs now_ms) {
  append_campaign(json, campaign, now_ms);
}
void append(JsonWriter& json, const Offer& offer, TimeMs /*now_ms*/) { append_offer(json, offer); }

template <class T>
Response object_response(const T& object, TimeMs now_ms, int status) {
  Response response;
  response.status = status;
  JsonWriter json(response.body);
  append(json, object, now_ms);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", object.version));
  return response;
}

absl::StatusOr<Campaign> read(const Services& services, const Request& request, const Campaign*) {
  return campaign_from_json(request.body, request.path("campaign"), services.limits.max_json_depth);
}
absl::StatusOr<Offer> read(const Services& services, const Request& request, const Offer*) {
  return offer_from_json(request.body, request.path("offer"), services.limits.max_json_depth);
}

template <class T>
void put_object(const Services& services, const Request& request, Reply reply) {
  QueryReader query(request.query);
  const bool validate_only = query.boolean("validate_only").value_or(false);
  if (const absl::Status status = query.finish(); !status.ok()) return reply.fail(status);
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  absl::StatusOr<T> object = read(services, request, static_cast<const T*>(nullptr));
  if (!object.ok()) return reply.fail(object.status());
  const TimeMs now_ms = services.clock.now_ms();
  const absl::Status fits = CouponStore::check(*services.campaigns.current(), *object, *expected);
  if (!fits.ok()) {
    return reply.fail(absl::IsInvalidArgument(fits) ? with_its_own_field(fits) : fits);
  }
  if (validate_only) return reply.send(object_response(*object, now_ms, 200));
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.campaigns.put(
      services.committer, *std::move(object), *expected,
      [later, now_ms](absl::StatusOr<CouponStore::Put<T>> put) {
        if (!put.ok()) return later->fail(put.status());
        later->send(object_response(put->object, now_ms, put->is_new ? 201 : 200));
      }));
}

using Remove = absl::Status (CouponStore::*)(events::Committer&, std::string, CouponStore::Expected,
                                             std::function<void(absl::Status)>);

void remove_object(const Services& services, const Request& request, Reply reply,
                   std::string_view id, Remove remove) {
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok((services.campaigns.*remove)(
      services.committer, std::string(id), *expected, [later](const absl::Status& removed) {
        if (!removed.ok()) return later->fail(removed);
        later->send({204, "", "application/json", {}});
      }));
}

template <class T>
absl::StatusOr<Response> list(const coupons::OfferBook::ById<T>& all, std::string_view name,
                              const Request& request, TimeMs now_ms) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key(name).begin_array();
  for (const auto& [id, object] : all) append(json, *object, now_ms);
  json.end_array().end_object();
  return json_response(std::move(body));
}

// What it gave, and whom it refused why.
absl::StatusOr<Response> offer_results(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string id(request.path("offer"));
  const auto offer = services.campaigns.current()->offer(id);
  if (!offer) return not_found("there is no offer {}", id);
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("offer", id);
  for (const Measure measure : {Measure::issued, Measure::uses, Measure::points, Measure::stock}) {
    VITRINE_ASSIGN_OR_RETURN(
        const coupons::Balance balance,
        services.coupons.balance(coupons::total_account("offer", id, measure, "")));
    json.key(name_of(measure)).begin_object().field("committed", balance.committed);
    json.field("held", balance.held).end_object();
  }
  json.key("discount").begin_object();
  std::set<std::string> currencies;
  for (const auto& [market, amounts] : offer->amounts) currencies.insert(amounts.currency);
  for (const std::string& currency : currencies) {
    VITRINE_ASSIGN_OR_RETURN(
        const coupons::Balance balance,
        services.coupons.balance(coupons::total_account("offer", id, Measure::discount, currency)));
    json.key(currency).begin_object();
    json.field("committed", format_money({balance.committed}, currency));
    json.field("held", format_money({balance.held}, currency)).end_object();
  }
  json.end_object().key("denied").begin_object();
  for (const auto& [reason, count] : services.coupons.denials_of(id)) {
    json.field(name_of(reason), count);
  }
  json.end_object().end_object();
  return json_response(std::move(body));
}

template <class T>
absl::StatusOr<Response> get_object(const std::shared_ptr<const T>& object, std::string_view what,
                                    const Request& request, TimeMs now_ms) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  if (!object) return not_found("there is no {} {}", what, request.path(what));
  return object_response(*object, now_ms, 200);
}

}  // namespace

void add_campaign_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/campaigns", Scope::marketing,
             answer_at_once([&services](Request& request) {
               return list(services.campaigns.current()->campaigns(), "campaigns", request,
                           services.clock.now_ms());
             }));
  router.add("GET", "/v1/campaigns/{campaign}", Scope::marketing,
             answer_at_once([&services](Request& request) {
               return get_object(services.campaigns.current()->campaign(request.path("campaign")),
                                 "campaign", request, services.clock.now_ms());
             }));
  router.add("PUT", "/v1/campaigns/{campaign}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               put_object<Campaign>(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/campaigns/{campaign}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               remove_object(services, request, std::move(reply), request.path("campaign"),
                             &CouponStore::remove_campaign);
             });
  router.add("GET", "/v1/offers", Scope::marketing, answer_at_once([&services](Request& request) {
               return list(services.campaigns.current()->offers(), "offers", request,
                           services.clock.now_ms());
             }));
  router.add("GET", "/v1/offers/{offer}", Scope::marketing,
             answer_at_once([&services](Request& request) {
               return get_object(services.campaigns.current()->offer(request.path("offer")),
                                 "offer", request, services.clock.now_ms());
             }));
  router.add("PUT", "/v1/offers/{offer}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               put_object<Offer>(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/offers/{offer}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               remove_object(services, request, std::move(reply), request.path("offer"),
                             &CouponStore::remove_offer);
             });
  router.add(
      "GET", "/v1/offers/{offer}/results", Scope::marketing,
      answer_at_once([&services](Request& request) { return offer_results(services, request); }));
}

}  // namespace vitrine::http
