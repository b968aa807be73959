// What a person agreed to, purpose by purpose: told, and kept for ever.
#include <algorithm>
#include <map>

#include "base/status.h"
#include "server/events/function_command.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/privacy/consents.h"

namespace vitrine::http {
namespace {

using privacy::Consent;
using privacy::Consents;

constexpr std::size_t k_source_bytes_max = 100;
constexpr std::size_t k_version_bytes_max = 100;

std::string all_purposes() {
  std::string all;
  for (const std::string_view purpose : Consents::k_purposes) {
    if (!all.empty()) all += ", ";
    all += purpose;
  }
  return all;
}

absl::StatusOr<Consent> consent_in(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader body(document.root(), "");
  Consent consent{
      .purpose = std::string(body.required_text("purpose", k_source_bytes_max)),
      .is_granted = false,
      .time_ms = 0,
      .source = std::string(body.required_text("source", k_source_bytes_max)),
      .text_version = std::string(body.text("text_version", k_version_bytes_max).value_or(""))};
  const std::optional<bool> granted = body.boolean("granted");
  if (!granted) body.refuse("granted", "must be true or false, and is missing");
  if (std::ranges::find(Consents::k_purposes, consent.purpose) == Consents::k_purposes.end()) {
    body.refuse("purpose",
                fmt::format("must be one of {}, got '{}'", all_purposes(), consent.purpose));
  }
  VITRINE_RETURN_IF_ERROR(body.finish());
  consent.is_granted = granted.value_or(false);
  return consent;
}

void append_entry(JsonWriter& json, const Consent& consent) {
  json.begin_object().field("purpose", consent.purpose).field("granted", consent.is_granted);
  json.field("time", format_time(consent.time_ms)).field("source", consent.source);
  json.field("text_version", consent.text_version).end_object();
}

absl::StatusOr<Response> list_consents(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view user_id = request.path("id");
  const identity::Who who = services.identities.find(user_id, "");
  if (who.user == k_nobody) return not_found("there is no user {}", user_id);
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Consent> all, services.consents.of(who.user));
  std::map<std::string_view, const Consent*> latest;
  for (const Consent& consent : all) latest[consent.purpose] = &consent;
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("user_id", user_id);
  json.field("personalize", !who.refuses_personalization).key("current").begin_array();
  for (const auto& [purpose, consent] : latest) append_entry(json, *consent);
  json.end_array().key("history").begin_array();
  for (const Consent& consent : all) append_entry(json, consent);
  json.end_array().end_object();
  return json_response(std::move(body));
}

void add_consent(const Services& services, const Request& request, Reply reply) {
  const absl::StatusOr<Consent> consent = consent_in(services, request);
  if (!consent.ok()) return reply.fail(consent.status());
  const LaterReply later(std::move(reply));
  auto said = std::make_shared<Consent>(*consent);
  later.fail_unless_ok(services.committer.submit(std::make_unique<events::FunctionCommand>(
      [&services, user_id = std::string(request.path("id")), said](events::Batch& batch) {
        said->time_ms = batch.time_ms();
        return stage_consent(services, batch, user_id, *said);
      },
      [later, said](const absl::Status& status) {
        if (!status.ok()) return later->fail(status);
        std::string body;
        JsonWriter json(body);
        append_entry(json, *said);
        later->send(json_response(std::move(body)));
      })));
}

}  // namespace

// A person who is not known yet may say so, too, and is known from then on.
absl::Status stage_consent(const Services& services, events::Batch& batch,
                           const std::string& user_id, const Consent& consent) {
  constexpr std::size_t k_id_bytes_max = EventLimits().id_bytes_max;
  if (user_id.size() > k_id_bytes_max) {
    return invalid_argument("the user's id must have at most {} bytes, got {}", k_id_bytes_max,
                            user_id.size());
  }
  if (services.identities.is_erased_user(batch, user_id)) {
    return failed_precondition("the user was erased: nothing is kept of them any more");
  }
  const UserNumber user = services.identities.resolve(batch, user_id, {}).user;
  if (consent.purpose == Consents::k_personalization) {
    services.identities.set_personalization(batch, user, !consent.is_granted);
  }
  return Consents::add(batch, user, consent);
}

void add_consent_routes(Router& router, const Services& services) {
  router.add(
      "GET", "/v1/users/{id}/consents", Scope::privacy,
      answer_at_once([&services](Request& request) { return list_consents(services, request); }));
  router.add("POST", "/v1/users/{id}/consents", Scope::privacy,
             [&services](Request& request, Reply reply) {
               add_consent(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
