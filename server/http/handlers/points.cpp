// The points of a person: GET and POST /v1/users/{id}/points.
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/http/campaign_json.h"
#include "server/http/handlers/coupon_routes.h"
#include "server/http/handlers/later.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using coupons::Desk;
using coupons::PointsAccount;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::int64_t k_change_max = 1'000'000'000;

void append_lots(JsonWriter& json, const PointsAccount& account) {
  json.key("lots").begin_array();
  for (const coupons::PointsLot& lot : account.lots()) {
    json.begin_object().field("points", lot.points).key("expires_at");
    const bool stays = lot.expires_ms == coupons::Campaign::k_never_ms;
    stays ? json.null() : json.value(format_time(lot.expires_ms));
    json.end_object();
  }
  json.end_array();
}

absl::StatusOr<Response> get_points(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view user_id = request.path("id");
  const UserNumber user = services.identities.find(user_id, "").user;
  // Unknown users are new ones: they have none.
  VITRINE_ASSIGN_OR_RETURN(const PointsAccount account, services.coupons.points_of(user));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("user_id", user_id).field("balance", account.balance());
  json.field("owed", account.owed());
  append_lots(json, account);
  json.key("entries").begin_array();
  for (const coupons::PointsEntry& one : account.entries()) {
    json.begin_object().field("time", format_time(one.time_ms)).field("change", one.change);
    json.field("kind", one.kind).field("reference", one.reference).end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Desk::PointsChange> read_change(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Desk::PointsChange change{.user_id = std::string(request.path("id"))};
  change.points = reader.integer("points", -k_change_max, k_change_max).value_or(0);
  if (change.points == 0) reader.refuse("points", "must be above 0 to give, or below 0 to spend");
  change.reference = reader.required_text("reference", k_id_bytes_max);
  change.expires_ms = read_moment(reader, "expires_at").value_or(coupons::Campaign::k_never_ms);
  if (change.points < 0 && reader.has("expires_at")) {
    reader.refuse("expires_at", "is for points that are given");
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return change;
}

void change_points(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<Desk::PointsChange> change = read_change(services, request);
  if (!change.ok()) return reply.fail(change.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.coupons.change_points(
      *std::move(change), [later](const absl::StatusOr<Desk::PointsChanged>& changed) {
        if (!changed.ok()) return later->fail(changed.status());
        std::string body;
        JsonWriter(body)
            .begin_object()
            .field("change", changed->change)
            .field("balance", changed->balance)
            .end_object();
        later->send(json_response(std::move(body)));
      }));
}

}  // namespace

void add_points_routes(Router& router, const Services& services) {
  router.add(
      "GET", "/v1/users/{id}/points", Scope::marketing,
      answer_at_once([&services](Request& request) { return get_points(services, request); }));
  router.add("POST", "/v1/users/{id}/points", Scope::marketing,
             [&services](Request& request, Reply reply) {
               change_points(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
