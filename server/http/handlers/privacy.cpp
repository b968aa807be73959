// What a person may ask for: everything that is known, to be forgotten, to be left alone.
#include "base/status.h"
#include "server/events/function_command.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

// Nothing in it names the person.
void append_receipt(JsonWriter& json, const privacy::ErasureRecord& record) {
  json.begin_object().field("erasure_id", record.erasure_id);
  json.field("requested_at", format_time(record.requested_ms)).key("completed_at");
  record.completed_ms == 0 ? json.null() : json.value(format_time(record.completed_ms));
  json.field("ids", record.keys.size()).key("owners").begin_array();
  for (const privacy::OwnerReceipt& owner : record.owners) {
    json.begin_object()
        .field("owner", owner.owner)
        .field("dropped", owner.erased.dropped)
        .field("kept_without_person", owner.erased.kept_without_person)
        .field("completed_at", format_time(owner.done_ms))
        .end_object();
  }
  json.end_array().end_object();
}

absl::StatusOr<Response> erase(const Services& services, const privacy::Erasures::Wanted& wanted) {
  VITRINE_ASSIGN_OR_RETURN(const privacy::ErasureRecord record, services.erasures.erase(wanted));
  std::string body;
  JsonWriter json(body);
  append_receipt(json, record);
  return json_response(std::move(body));
}

absl::StatusOr<Response> erase_user(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  return erase(services, {.user_ids = {std::string(request.path("id"))}, .visitor_ids = {}});
}

absl::StatusOr<Response> erase_visitor(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  return erase(services, {.user_ids = {}, .visitor_ids = {std::string(request.path("id"))}});
}

absl::StatusOr<Response> erase_people(const Services& services, const Request& request) {
  constexpr std::size_t k_people_max = privacy::Erasures::k_people_max;
  constexpr std::size_t k_id_bytes_max = EventLimits().id_bytes_max;
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader body(document.root(), "");
  const auto users = body.texts("user_ids", k_people_max, k_id_bytes_max);
  const auto visitors = body.texts("visitor_ids", k_people_max, k_id_bytes_max);
  const std::size_t count = users.size() + visitors.size();
  if (count == 0 || count > k_people_max) {
    body.refuse("user_ids", fmt::format("and visitor_ids must name 1 to {} people, got {}",
                                        k_people_max, count));
  }
  VITRINE_RETURN_IF_ERROR(body.finish());
  return erase(services, {.user_ids = {users.begin(), users.end()},
                          .visitor_ids = {visitors.begin(), visitors.end()}});
}

absl::StatusOr<Response> list_erasures(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const std::vector<privacy::ErasureRecord> records,
                           services.erasures.list());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("erasures").begin_array();
  for (const privacy::ErasureRecord& record : records) append_receipt(json, record);
  json.end_array().end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> export_user(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(std::string archive, services.erasures.export_user(request.path("id")));
  return json_response(std::move(archive));
}

absl::StatusOr<Response> export_visitor(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(std::string archive,
                           services.erasures.export_visitor(request.path("id")));
  return json_response(std::move(archive));
}

absl::StatusOr<bool> wanted_personalization(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader body(document.root(), "");
  const std::optional<bool> personalize = body.boolean("personalize");
  if (!personalize) body.refuse("personalize", "must be true or false, and is missing");
  VITRINE_RETURN_IF_ERROR(body.finish());
  return personalize.value_or(true);
}

void change_user(const Services& services, Request& request, Reply reply) {
  const absl::StatusOr<bool> personalize = wanted_personalization(services, request);
  if (!personalize.ok()) return reply.fail(personalize.status());
  const std::string user_id(request.path("id"));
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.committer.submit(std::make_unique<events::FunctionCommand>(
      [&services, user_id, wanted = *personalize](events::Batch& batch) {
        return stage_consent(services, batch, user_id,
                             {.purpose = std::string(privacy::Consents::k_personalization),
                              .is_granted = wanted,
                              .time_ms = batch.time_ms(),
                              .source = "api",
                              .text_version = {}});
      },
      [later, user_id, wanted = *personalize](const absl::Status& status) {
        if (!status.ok()) return later->fail(status);
        std::string body;
        JsonWriter(body)
            .begin_object()
            .field("user_id", user_id)
            .field("personalize", wanted)
            .end_object();
        later->send(json_response(std::move(body)));
      })));
}

}  // namespace

void add_privacy_routes(Router& router, const Services& services) {
  const auto aside = [&](auto answer) {
    return services.workers.answer_aside(
        [] { return true; },
        [&services, answer](Request& request) { return answer(services, request); });
  };
  router.add("DELETE", "/v1/users/{id}", Scope::privacy, aside(erase_user));
  router.add("DELETE", "/v1/visitors/{id}", Scope::privacy, aside(erase_visitor));
  router.add("GET", "/v1/visitors/{id}/export", Scope::privacy, aside(export_visitor));
  router.add("POST", "/v1/erasures", Scope::privacy, aside(erase_people));
  router.add("GET", "/v1/users/{id}/export", Scope::privacy, aside(export_user));
  router.add("GET", "/v1/erasures", Scope::privacy, aside(list_erasures));
  router.add("PATCH", "/v1/users/{id}", Scope::privacy, [&services](Request& request, Reply reply) {
    change_user(services, request, std::move(reply));
  });
}

}  // namespace vitrine::http
