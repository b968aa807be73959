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

absl::StatusOr<Response> erase_user(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const privacy::ErasureRecord record,
                           services.erasures.erase(request.path("id")));
  std::string body;
  JsonWriter json(body);
  append_receipt(json, record);
  return json_response(std::move(body));
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
  VITRINE_ASSIGN_OR_RETURN(std::string archive,
                           services.erasures.export_person(request.path("id")));
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

// A person who is not known yet may refuse, too, and is known from then on.
absl::Status stage_personalization(const Services& services, events::Batch& batch,
                                   const std::string& user_id, bool personalize) {
  if (services.identities.is_erased_user(batch, user_id)) {
    return failed_precondition("the user was erased: nothing is kept of them any more");
  }
  const UserNumber user = services.identities.resolve(batch, user_id, {}).user;
  services.identities.set_personalization(batch, user, !personalize);
  return absl::OkStatus();
}

void change_user(const Services& services, Request& request, Reply reply) {
  const absl::StatusOr<bool> personalize = wanted_personalization(services, request);
  if (!personalize.ok()) return reply.fail(personalize.status());
  const std::string user_id(request.path("id"));
  constexpr std::size_t k_id_bytes_max = EventLimits().id_bytes_max;
  if (user_id.size() > k_id_bytes_max) {
    return reply.fail(invalid_argument("the user's id must have at most {} bytes, got {}",
                                       k_id_bytes_max, user_id.size()));
  }
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.committer.submit(std::make_unique<events::FunctionCommand>(
      [&services, user_id, wanted = *personalize](events::Batch& batch) {
        return stage_personalization(services, batch, user_id, wanted);
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
  router.add("GET", "/v1/users/{id}/export", Scope::privacy, aside(export_user));
  router.add("GET", "/v1/erasures", Scope::privacy, aside(list_erasures));
  router.add("PATCH", "/v1/users/{id}", Scope::privacy, [&services](Request& request, Reply reply) {
    change_user(services, request, std::move(reply));
  });
}

}  // namespace vitrine::http
