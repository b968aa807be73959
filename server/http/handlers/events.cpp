// What shoppers did, one batch a call: POST /v1/events, and POST /v1/import/events for history.
#include <string>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/person.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_source_bytes_max = 100;

Response outcome_response(const collect::CollectOutcome& outcome) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("accepted", outcome.accepted);
  json.field("duplicates", outcome.duplicates).key("rejected").begin_array();
  for (const collect::RejectedEvent& event : outcome.rejected) {
    json.begin_object().field("index", event.index).field("code", event.code);
    json.field("message", event.message).end_object();
  }
  json.end_array().field("token", collect::token_of(outcome.token)).end_object();
  return json_response(std::move(body));
}

void collect_batch(const Services& services, const Request& request, std::string source,
                   bool is_import, Reply reply) {
  auto batch = collect::parse_native_batch(request.body, services.clock.now_ms());
  if (!batch.ok()) return reply.fail(batch.status());
  // A page must not be able to take the event ids of the shop's backend.
  if (!request.is_trusted) source += ":" + request.key_id;
  set_trust(services, request, *batch);
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(
      services.collector.collect(*std::move(batch), std::move(source), is_import,
                                 [later](absl::StatusOr<collect::CollectOutcome> outcome) {
                                   if (!outcome.ok()) return later->fail(outcome.status());
                                   later->send(outcome_response(*outcome));
                                 }));
}

}  // namespace

void add_event_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/events", Scope::collect, [&services](Request& request, Reply reply) {
    collect_batch(services, request, "api", false, std::move(reply));
  });
  router.add("POST", "/v1/import/events", Scope::admin, [&services](Request& request, Reply reply) {
    QueryReader query(request.query);
    std::string source(query.text("source", k_source_bytes_max).value_or("import"));
    if (const absl::Status status = query.finish(); !status.ok()) {
      return reply.fail(status);
    }
    collect_batch(services, request, std::move(source), true, std::move(reply));
  });
}

}  // namespace vitrine::http
