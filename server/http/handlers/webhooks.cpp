// Webhooks: where to tell what, and how that goes. GET /v1/webhooks; GET, PUT and DELETE
// /v1/webhooks/{webhook}, its secret, ping, deliveries and attempts.
#include <memory>
#include <utility>

#include "base/status.h"
#include "server/events/function_command.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using webhooks::Attempt;
using webhooks::Delivery;
using webhooks::DeliveryBook;
using webhooks::Webhook;
using webhooks::WebhookStore;

constexpr std::int64_t k_deliveries_usual = 100;
constexpr std::int64_t k_deliveries_max = 1000;  // of one page
constexpr std::size_t k_types_max = 100;
constexpr std::size_t k_word_bytes_max = 100;

absl::Status no_webhook(std::string_view key) { return not_found("there is no webhook {}", key); }

// A refusal of the webhook as a whole begins with its field.
absl::Status with_its_field(absl::Status status) {
  if (status.ok()) return status;
  const std::string field(message_of(status).substr(0, message_of(status).find(' ')));
  return with_field(std::move(status), field);
}

void append_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

std::string_view state_of(const Services& services, const Webhook& webhook,
                          const DeliveryBook::Facts& facts) {
  if (!webhook.is_active) return "stopped";
  if (facts.failures_in_row >= webhooks::TargetQueue::k_failures_until_rest) return "failing";
  const auto segments = services.segments.current();
  return services.webhooks.is_following(webhook, segments->list()) ? "live" : "starting";
}

// Secrets are shown when they are made, and never again.
void append_webhook(JsonWriter& json, const Services& services, const Webhook& webhook,
                    const std::string& secret = {}) {
  const DeliveryBook::Facts facts = services.webhooks.deliveries().facts(webhook.key);
  json.begin_object().field("webhook", webhook.key).field("url", webhook.url);
  json.field("description", webhook.description);
  append_texts(json, "types", webhook.types);
  append_texts(json, "segments", webhook.segments);
  json.field("active", webhook.is_active).field("version", webhook.version);
  json.key("changed_at");
  webhook.changed_ms == 0 ? json.null() : json.value(format_time(webhook.changed_ms));
  json.field("state", state_of(services, webhook, facts)).key("stopped_because");
  webhook.stopped_because.empty() ? json.null() : json.value(webhook.stopped_because);
  json.field("waiting", facts.waiting).field("dead", facts.dead);
  json.field("failures_in_row", facts.failures_in_row).key("oldest_waiting_at");
  facts.oldest_ms == 0 ? json.null() : json.value(format_time(facts.oldest_ms));
  if (!secret.empty()) json.field("secret", secret);
  json.end_object();
}

Response webhook_response(const Services& services, const Webhook& webhook, int status,
                          const std::string& secret = {}) {
  Response response;
  response.status = status;
  JsonWriter json(response.body);
  append_webhook(json, services, webhook, secret);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", webhook.version));
  return response;
}

absl::StatusOr<Response> list_webhooks(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("webhooks").begin_array();
  const auto list = services.webhooks.store().current();
  for (const Webhook& webhook : list->all) append_webhook(json, services, webhook);
  json.end_array().end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> get_webhook(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const auto list = services.webhooks.store().current();
  const Webhook* const webhook = list->find(request.path("webhook"));
  if (webhook == nullptr) return no_webhook(request.path("webhook"));
  return webhook_response(services, *webhook, 200);
}

// What was read can be written back: what the server says of itself is let pass.
void skip_answers(ObjectReader& reader) {
  for (const std::string_view name :
       {"version", "changed_at", "state", "stopped_because", "waiting", "dead", "failures_in_row",
        "oldest_waiting_at", "secret"}) {
    reader.any(name);
  }
}

absl::StatusOr<Webhook> webhook_from_json(const Services& services, const Request& request) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Webhook webhook;
  webhook.key = request.path("webhook");
  if (reader.text("webhook", Webhook::k_text_bytes_max).value_or(webhook.key) != webhook.key) {
    reader.refuse("webhook", fmt::format("must be the path's, '{}'", webhook.key));
  }
  webhook.url = reader.required_text("url", Webhook::k_url_bytes_max);
  webhook.description = reader.text("description", Webhook::k_text_bytes_max).value_or("");
  for (const std::string_view type : reader.texts("types", k_types_max, k_word_bytes_max)) {
    webhook.types.emplace_back(type);
  }
  for (const std::string_view segment :
       reader.texts("segments", Webhook::k_segments_max, Webhook::k_key_bytes_max)) {
    webhook.segments.emplace_back(segment);
  }
  webhook.is_active = reader.boolean("active").value_or(true);
  skip_answers(reader);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(
      with_its_field(validate(webhook, services.webhooks.client_options().allow_private)));
  return webhook;
}

void put_webhook(const Services& services, const Request& request, Reply reply) {
  QueryReader query(request.query);
  const bool validate_only = query.boolean("validate_only").value_or(false);
  if (const absl::Status read = query.finish(); !read.ok()) return reply.fail(read);
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  absl::StatusOr<Webhook> wanted = webhook_from_json(services, request);
  if (!wanted.ok()) return reply.fail(wanted.status());
  if (validate_only) {
    const auto list = services.webhooks.store().current();
    const Webhook* const current = list->find(wanted->key);
    const absl::Status fits = check_version(*expected, current);
    if (!fits.ok()) return reply.fail(fits);
    wanted->version = current != nullptr ? current->version : 0;
    return reply.send(webhook_response(services, *wanted, 200));
  }
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.webhooks.store().put(
      services.committer, *std::move(wanted), *expected,
      [&services, later](absl::StatusOr<WebhookStore::Put> put) {
        if (!put.ok()) return later->fail(put.status());
        later->send(webhook_response(services, put->webhook, put->is_new ? 201 : 200,
                                     put->is_new ? put->webhook.secrets.front().text : ""));
      }));
}

void delete_webhook(const Services& services, const Request& request, Reply reply) {
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(
      services.webhooks.store().remove(services.committer, std::string(request.path("webhook")),
                                       *expected, [later](const absl::Status& removed) {
                                         if (!removed.ok()) return later->fail(removed);
                                         later->send({204, "", "application/json", {}});
                                       }));
}

void renew_secret(const Services& services, const Request& request, Reply reply) {
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.webhooks.store().renew_secret(
      services.committer, std::string(request.path("webhook")),
      [later](absl::StatusOr<Webhook> renewed) {
        if (!renewed.ok()) return later->fail(renewed.status());
        std::string body;
        JsonWriter(body)
            .begin_object()
            .field("secret", renewed->secrets.front().text)
            .field("former_valid_until", format_time(renewed->secrets.back().valid_until_ms))
            .end_object();
        later->send(json_response(std::move(body)));
      }));
}

void append_outcome(JsonWriter& json, int http_status, const std::string& error) {
  json.key("http_status");
  http_status == 0 ? json.null() : json.value(http_status);
  json.key("error");
  error.empty() ? json.null() : json.value(error);
}

absl::StatusOr<Response> ping(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const webhooks::Webhooks::Ping sent,
                           services.webhooks.ping(std::string(request.path("webhook"))));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("id", sent.id).field("delivered", sent.outcome.is_delivered());
  append_outcome(json, sent.outcome.http_status, sent.outcome.error);
  json.field("duration_ms", sent.outcome.duration_ms).end_object();
  return json_response(std::move(body));
}

void append_delivery(JsonWriter& json, const Services& services, const Delivery& delivery,
                     bool is_dead) {
  json.begin_object().field("id", delivery.id).field("type", delivery.type);
  json.field("segment", delivery.segment);
  const auto person = services.identities.person(delivery.user);
  const bool is_known = person.ok() && person->has_value();
  json.key("user_id");
  is_known && !(*person)->user_id.empty() ? json.value((*person)->user_id) : json.null();
  json.field("time", format_time(delivery.time_ms)).field("attempts", delivery.attempts);
  json.key(is_dead ? "given_up_at" : "next_attempt_at").value(format_time(delivery.due_ms));
  append_outcome(json, delivery.http_status, delivery.error);
  json.end_object();
}

absl::StatusOr<Response> list_deliveries(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const std::string_view key = request.path("webhook");
  const auto limit = static_cast<std::size_t>(
      query.integer("limit", 1, k_deliveries_max).value_or(k_deliveries_usual));
  const std::uint64_t after = read_cursor(query, "w").value_or(0);
  const std::string_view state = query.text("state", k_word_bytes_max).value_or("waiting");
  if (state != "waiting" && state != "dead") {
    query.refuse("state", fmt::format("must be waiting or dead, got '{}'", state));
  }
  VITRINE_RETURN_IF_ERROR(query.finish());
  if (services.webhooks.store().current()->find(key) == nullptr) return no_webhook(key);
  const bool is_dead = state == "dead";
  const std::vector<Delivery> listed = services.webhooks.deliveries().list(
      key, is_dead ? DeliveryBook::Kind::dead : DeliveryBook::Kind::waiting, after, limit);
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("deliveries").begin_array();
  for (const Delivery& delivery : listed) append_delivery(json, services, delivery, is_dead);
  json.end_array().key("cursor");
  listed.size() == limit ? json.value(write_cursor("w", listed.back().number)) : json.null();
  json.end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> list_attempts(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view key = request.path("webhook");
  if (services.webhooks.store().current()->find(key) == nullptr) return no_webhook(key);
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("attempts").begin_array();
  for (const Attempt& attempt : services.webhooks.deliveries().attempts(key)) {
    json.begin_object().field("id", attempt.id).field("type", attempt.type);
    json.field("time", format_time(attempt.time_ms));
    json.field("delivered", attempt.outcome.is_delivered());
    append_outcome(json, attempt.outcome.http_status, attempt.outcome.error);
    json.field("duration_ms", attempt.outcome.duration_ms).end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

void redeliver(const Services& services, const Request& request, Reply reply) {
  const std::string key(request.path("webhook"));
  const auto count = std::make_shared<std::size_t>(0);
  const auto stage = [&services, key, count](events::Batch& batch) -> absl::Status {
    if (services.webhooks.store().current()->find(key) == nullptr) return no_webhook(key);
    *count = services.webhooks.deliveries().stage_again(batch, key, batch.time_ms());
    return absl::OkStatus();
  };
  const LaterReply later(std::move(reply));
  const auto answer = [later, count](const absl::Status& done) {
    if (!done.ok()) return later->fail(done);
    std::string body;
    JsonWriter(body).begin_object().field("redelivered", *count).end_object();
    later->send(json_response(std::move(body)));
  };
  later.fail_unless_ok(
      services.committer.submit(std::make_unique<events::FunctionCommand>(stage, answer)));
}

using Answering = absl::StatusOr<Response> (*)(const Services&, const Request&);
using Writing = void (*)(const Services&, const Request&, Reply);

Handler at_once(const Services& services, Answering handler) {
  return answer_at_once(
      [&services, handler](Request& request) { return handler(services, request); });
}

Handler later(const Services& services, Writing handler) {
  return [&services, handler](Request& request, Reply reply) {
    handler(services, request, std::move(reply));
  };
}

}  // namespace

void add_webhook_routes(Router& router, const Services& services) {
  const auto add = [&](std::string_view method, std::string_view pattern, Handler handler) {
    router.add(method, pattern, Scope::marketing, std::move(handler));
  };
  add("GET", "/v1/webhooks", at_once(services, list_webhooks));
  add("GET", "/v1/webhooks/{webhook}", at_once(services, get_webhook));
  add("PUT", "/v1/webhooks/{webhook}", later(services, put_webhook));
  add("DELETE", "/v1/webhooks/{webhook}", later(services, delete_webhook));
  add("POST", "/v1/webhooks/{webhook}/secret", later(services, renew_secret));
  // Waits for somebody else's server.
  add("POST", "/v1/webhooks/{webhook}/ping",
      services.workers.answer_aside(
          [] { return true; }, [&services](Request& request) { return ping(services, request); }));
  add("GET", "/v1/webhooks/{webhook}/deliveries", at_once(services, list_deliveries));
  add("GET", "/v1/webhooks/{webhook}/attempts", at_once(services, list_attempts));
  add("POST", "/v1/webhooks/{webhook}/redeliver", later(services, redeliver));
}

}  // namespace vitrine::http
