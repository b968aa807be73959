// The trained models and which of them serves: list, promote, roll back, look again.
#include "base/status.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

void append_version(JsonWriter& json, const ModelRegistry::Version& version) {
  const TrainingRecord& record = version.record;
  json.begin_object().field("model_version", version.name);
  json.field("is_current", version.is_current);
  json.field("created_at", format_time(record.created_ms));
  json.field("until", format_time(record.until_ms)).field("source", record.source);
  json.field("interactions", record.interactions).field("users", record.users);
  json.field("pairs", record.pairs).field("orders", record.orders);
  json.field("epochs", record.epochs).field("seed", record.seed);
  json.key("metrics").begin_object();
  for (const auto& [name, value] : record.metrics) json.field(name, value);
  json.end_object().key("settings").begin_object();
  for (const auto& [name, value] : record.settings) json.field(name, value);
  json.end_object().end_object();
}

absl::StatusOr<Response> list_models(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const std::vector<ModelRegistry::Version> versions,
                           services.models.list());
  const std::string live = services.watcher.current()->version();
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("live_version");
  live.empty() ? json.null() : json.value(live);
  json.key("models").begin_array();
  for (const ModelRegistry::Version& version : versions) append_version(json, version);
  json.end_array().end_object();
  return json_response(std::move(body));
}

// A version that cannot serve is no failure of the server's: the old one serves on, and the answer
// says why.
absl::Status refusal_of(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kDataLoss) return status;
  return failed_precondition("{}", message_of(status));
}

// Answers with what is live once the watcher has looked.
void answer_when_live(const Services& services, Reply reply) {
  const LaterReply later(std::move(reply));
  services.watcher.refresh([later](absl::StatusOr<std::string> live) {
    if (!live.ok()) {
      const bool is_leaving = live.status().code() == absl::StatusCode::kUnavailable;
      return later->fail(is_leaving ? live.status()
                                    : failed_precondition("{}", message_of(live.status())));
    }
    std::string body;
    JsonWriter json(body);
    json.begin_object().key("live_version");
    live->empty() ? json.null() : json.value(*live);
    json.end_object();
    later->send(json_response(std::move(body)));
  });
}

}  // namespace

void add_model_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/models", Scope::models, answer_at_once([&services](Request& request) {
               return list_models(services, request);
             }));
  router.add("POST", "/v1/models/{version}/promote", Scope::models,
             [&services](Request& request, Reply reply) {
               const absl::Status promoted = services.models.promote(request.path("version"));
               if (!promoted.ok()) return reply.fail(refusal_of(promoted));
               answer_when_live(services, std::move(reply));
             });
  router.add("POST", "/v1/models/rollback", Scope::models, [&services](Request&, Reply reply) {
    const auto rolled_back = services.models.rollback();
    if (!rolled_back.ok()) return reply.fail(refusal_of(rolled_back.status()));
    answer_when_live(services, std::move(reply));
  });
  router.add("POST", "/v1/models/refresh", Scope::models,
             [&services](Request&, Reply reply) { answer_when_live(services, std::move(reply)); });
}

}  // namespace vitrine::http
