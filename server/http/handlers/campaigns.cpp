// Campaigns and offers: GET, PUT and DELETE /v1/campaigns/{campaign} and /v1/offers/{offer}, their
// lists, and what an offer has given so far.
#include <set>
#include <utility>

#include "base/status.h"
#include "server/coupons/accounts.h"
#include "server/coupons/desk.h"
#include "server/http/campaign_json.h"
#include "server/http/coupon_store.h"
#include "server/http/handlers/campaign_reach.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/offer_json.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_moment_bytes_max = 40;

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

// One that has not begun says what it could show.
bool is_to_come(const Campaign& campaign, TimeMs now_ms) {
  const coupons::CampaignState state = campaign.state_at(now_ms);
  return state == coupons::CampaignState::draft || state == coupons::CampaignState::scheduled;
}

Response campaign_response(const Services& services, const Campaign& campaign) {
  const TimeMs now_ms = services.clock.now_ms();
  Response response = object_response(campaign, now_ms, 200);
  if (!is_to_come(campaign, now_ms)) return response;
  std::string more;
  JsonWriter json(more);
  json.begin_object();
  append_detectable_effect(json, services, campaign);
  json.end_object();
  // One object of both.
  response.body.back() = ',';
  response.body += more.substr(1);
  return response;
}

void send_tried(const Services& services, Campaign campaign, Reply reply) {
  const LaterReply later(std::move(reply));
  const bool taken = services.workers.try_run([&services, campaign = std::move(campaign), later]() {
    later->send(campaign_response(services, campaign));
  });
  if (!taken) later->fail(overloaded("too many requests wait for a thread already, try again"));
}
void send_tried(const Services& services, const Offer& offer, Reply reply) {
  reply.send(object_response(offer, services.clock.now_ms(), 200));
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
  if (validate_only) return send_tried(services, *std::move(object), std::move(reply));
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

std::optional<TimeMs> query_moment(QueryReader& query, std::string_view name) {
  const auto text = query.text(name, k_moment_bytes_max);
  if (!text) return std::nullopt;
  const absl::StatusOr<TimeMs> time = parse_time(*text);
  if (time.ok()) return *time;
  query.refuse(name, message_of(time.status()));
  return std::nullopt;
}

// Since ever, or of the days that the query names.
absl::StatusOr<coupons::DenialBook::Counts> denials_asked_for(const Services& services,
                                                              const Request& request,
                                                              const std::string& offer) {
  QueryReader query(request.query);
  const auto from = query_moment(query, "from");
  const auto until = query_moment(query, "until");
  VITRINE_RETURN_IF_ERROR(query.finish());
  const coupons::DenialBook& denials = services.coupons.denials();
  if (!from && !until) return denials.counts_of(offer);
  return denials.counts_of(offer, from.value_or(0), until.value_or(services.clock.now_ms()));
}

// What it gave, and whom it refused why.
absl::StatusOr<Response> offer_results(const Services& services, const Request& request) {
  const std::string id(request.path("offer"));
  const auto offer = services.campaigns.current()->offer(id);
  VITRINE_ASSIGN_OR_RETURN(const auto denied, denials_asked_for(services, request, id));
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
  for (std::size_t reason = 0; reason < denied.size(); ++reason) {
    if (denied.at(reason) == 0) continue;
    json.field(name_of(static_cast<coupons::Reason>(reason)), denied.at(reason));
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

absl::StatusOr<Response> get_campaign(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const auto campaign = services.campaigns.current()->campaign(request.path("campaign"));
  if (!campaign) return not_found("there is no campaign {}", request.path("campaign"));
  return campaign_response(services, *campaign);
}

}  // namespace

void add_campaign_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/campaigns", Scope::marketing,
             answer_at_once([&services](Request& request) {
               return list(services.campaigns.current()->campaigns(), "campaigns", request,
                           services.clock.now_ms());
             }));
  router.add("GET", "/v1/campaigns/{campaign}", Scope::marketing,
             services.workers.answer_aside(
                 [] { return true; },
                 [&services](Request& request) { return get_campaign(services, request); }));
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
