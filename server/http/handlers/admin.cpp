// For the operator: refused events with their reasons (GET /v1/quarantine) and counts (GET
// /v1/stats).
#include "base/status.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::int64_t k_page_max = 200;
constexpr std::int64_t k_page_usual = 50;

absl::StatusOr<Response> list_quarantine(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, k_page_max).value_or(k_page_usual));
  const std::uint64_t before = read_cursor(query, "q").value_or(0);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(const std::vector<events::QuarantinedEvent> refused,
                           services.quarantine.list(before, limit));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("size", services.quarantine.size()).key("events").begin_array();
  for (const events::QuarantinedEvent& event : refused) {
    json.begin_object().field("number", event.number);
    json.field("received_at", format_time(event.received_ms)).field("source", event.source);
    json.field("code", event.code).field("message", event.message).field("raw", event.raw);
    json.end_object();
  }
  json.end_array().key("cursor");
  const bool has_more = refused.size() == limit && refused.back().number > 1;
  has_more ? json.value(write_cursor("q", refused.back().number)) : json.null();
  json.end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_admin_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/quarantine", Scope::admin, answer_at_once([&services](Request& request) {
               return list_quarantine(services, request);
             }));
  router.add("GET", "/v1/stats", Scope::admin,
             answer_at_once([&services](Request& request) -> absl::StatusOr<Response> {
               VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
               VITRINE_ASSIGN_OR_RETURN(std::string body, services.stats_json());
               return json_response(std::move(body));
             }));
}

}  // namespace vitrine::http
