#include "server/http/handlers/coupon_recommendations.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/coupons/coupon_recommender.h"
#include "server/http/handlers/shopper.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/http/user_token.h"

namespace vitrine::http {
namespace {

using coupons::CouponAnswer;
using coupons::CouponRecommender;
using coupons::CouponRequest;
using coupons::RecommendedCoupon;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_word_bytes_max = 100;

void append_coupon(JsonWriter& json, const RecommendedCoupon& coupon, bool is_personal) {
  const coupons::Offer& offer = *coupon.terms.offer;
  json.begin_object().field("offer", offer.id).field("campaign", offer.campaign);
  json.field("name", offer.name).field("kind", name_of(offer.effect.kind));
  json.field("trigger", name_of(offer.trigger)).key("code");
  coupon.grant ? json.value(coupon.grant->code) : json.null();
  json.field("to_be_claimed", coupon.is_to_be_claimed).field("says", coupon.says);
  json.field("score", coupon.score).field("chance", coupon.chance);
  if (coupon.propensity) json.field("propensity", *coupon.propensity);
  json.key("valid_until");
  const TimeMs until_ms = coupon.grant   ? coupon.grant->valid_until_ms
                          : offer.end_ms ? *offer.end_ms
                                         : coupon.terms.campaign->end_ms;
  until_ms != coupons::Campaign::k_never_ms ? json.value(format_time(until_ms)) : json.null();
  json.key("reason").begin_object().field("kind", coupon.reason.kind);
  if (!coupon.reason.product_id.empty()) json.field("product_id", coupon.reason.product_id);
  json.field("text", coupon.reason.text).end_object();
  // What a shop has to tell where a price is made for one person.
  json.field("personalized_offer", is_personal || coupon.grant.has_value()).end_object();
}

std::string json_of(const CouponAnswer& answer) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("recommendation_id", answer.recommendation_id);
  json.field("placement", CouponRecommender::k_placement).key("model_version");
  answer.model_version.empty() ? json.null() : json.value(answer.model_version);
  json.field("personalized", answer.personalized).key("coupons").begin_array();
  for (const RecommendedCoupon& coupon : answer.coupons) {
    append_coupon(json, coupon, answer.personalized);
  }
  json.end_array().end_object();
  return body;
}

absl::StatusOr<Response> recommend(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  CouponRequest wanted;
  coupons::Checkout& checkout = wanted.checkout;
  checkout.user_id = reader.text("user_id", k_id_bytes_max).value_or("");
  const std::string_view token = reader.text("user_token", k_user_token_bytes_max).value_or("");
  wanted.visitor_id = reader.text("visitor_id", k_id_bytes_max).value_or("");
  checkout.cart.currency = reader.text("currency", k_word_bytes_max).value_or("");
  checkout.cart.market = reader.text("market", k_word_bytes_max).value_or("");
  checkout.cart.channel = reader.text("channel", k_word_bytes_max).value_or("");
  for (const std::string_view one :
       reader.texts("identifiers", coupons::Checkout::k_identifiers_max, k_id_bytes_max)) {
    checkout.identifiers.emplace_back(one);
  }
  wanted.limit = static_cast<std::size_t>(
      reader.integer("limit", 1, static_cast<std::int64_t>(CouponRecommender::k_limit_max))
          .value_or(static_cast<std::int64_t>(wanted.limit)));
  wanted.personalize = reader.boolean("personalize").value_or(true);
  wanted.explore = reader.boolean("explore").value_or(true);
  if (!checkout.cart.currency.empty() && !is_currency(checkout.cart.currency)) {
    reader.refuse("currency", fmt::format("must be three capital letters as EUR, got '{}'",
                                          checkout.cart.currency));
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(check_shopper(services, request, checkout.user_id, token));
  checkout.shopper = shopper_of(services, checkout.user_id);
  // A visitor that nobody vouches for may be told of its own part only.
  wanted.is_verified = request.is_trusted || !checkout.user_id.empty();
  VITRINE_ASSIGN_OR_RETURN(const CouponAnswer answer,
                           services.coupon_recommender.recommend(wanted));
  return json_response(json_of(answer));
}

}  // namespace

bool asks_for_coupons(const Services& services, const RecommendationCall& call) {
  if (call.request.placement != CouponRecommender::k_placement) return false;
  return services.placements.current()->find(CouponRecommender::k_placement) == nullptr;
}

absl::StatusOr<std::string> coupon_placement_json(const Services& services,
                                                  const RecommendationCall& call) {
  const recommend::RecommendRequest& asked = call.request;
  CouponRequest wanted{.visitor_id = asked.visitor_id,
                       .is_verified = asked.is_verified,
                       .personalize = asked.personalize,
                       .explore = asked.explore};
  // The page asks for as many as of products.
  wanted.limit = std::min(asked.limit, CouponRecommender::k_limit_max);
  coupons::Checkout& checkout = wanted.checkout;
  checkout.user_id = asked.user_id;
  checkout.cart.market = asked.market;
  checkout.cart.channel = asked.channel;
  checkout.shopper = shopper_of(services, asked.is_verified ? asked.user_id : "");
  VITRINE_ASSIGN_OR_RETURN(const CouponAnswer answer,
                           services.coupon_recommender.recommend(wanted));
  return json_of(answer);
}

void add_coupon_recommendation_routes(Router& router, const Services& services) {
  router.add(
      "POST", "/v1/coupons/recommendations", Scope::recommend,
      answer_at_once([&services](Request& request) { return recommend(services, request); }));
}

}  // namespace vitrine::http
