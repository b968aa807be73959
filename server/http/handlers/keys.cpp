// The API keys: POST and GET /v1/keys, POST /v1/keys/{id}/identity-secrets, DELETE /v1/keys/{id}.
#include "base/status.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_name_bytes_max = 200;
constexpr std::size_t k_origin_bytes_max = 300;
constexpr std::size_t k_origins_max = 100;

void append_record(JsonWriter& json, const KeyRecord& record) {
  json.field("id", record.id).field("name", record.name).key("scopes").begin_array();
  for (const Scope scope : k_all_scopes) {
    if (record.scopes.has(scope)) json.value(name_of(scope));
  }
  json.end_array().key("origins").begin_array();
  for (const std::string& origin : record.origins) json.value(origin);
  json.end_array().key("currency");
  record.currency.empty() ? json.null() : json.value(record.currency);
  json.field("requests_per_second", record.rate.per_second).field("burst", record.rate.burst);
  json.key("public").value(record.is_public());
  json.field("created_at", format_time(record.created_ms));
}

absl::StatusOr<KeyRecord> wanted_key(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  ObjectReader body(document.root(), "");
  KeyRecord wanted;
  wanted.name = body.text("name", k_name_bytes_max).value_or("");
  for (const std::string_view name :
       body.texts("scopes", std::size(k_all_scopes), k_name_bytes_max)) {
    const absl::StatusOr<Scopes> scopes = Scopes::parse(name);
    if (!scopes.ok()) return with_field(scopes.status(), "scopes");
    wanted.scopes.add(*scopes);
  }
  for (const std::string_view origin : body.texts("origins", k_origins_max, k_origin_bytes_max)) {
    wanted.origins.emplace_back(origin);
  }
  wanted.currency = body.text("currency", k_name_bytes_max).value_or("");
  if (!wanted.currency.empty() && !is_currency(wanted.currency)) {
    body.refuse("currency", "must be three capital letters (ISO 4217)");
  }
  wanted.rate = read_rate(body);
  wanted.is_secret = body.boolean("secret").value_or(false);
  if (wanted.is_secret && !wanted.origins.empty()) {
    body.refuse("origins", "must be empty for a secret key, which is not for web pages");
  }
  if (wanted.scopes.empty()) body.refuse("scopes", "must name at least one scope");
  VITRINE_RETURN_IF_ERROR(body.finish());
  return wanted;
}

void create_key(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<KeyRecord> wanted = wanted_key(request, services.limits);
  if (!wanted.ok()) return reply.fail(wanted.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.keys.create(
      services.committer, *std::move(wanted), [later](absl::StatusOr<CreatedKey> created) {
        if (!created.ok()) return later->fail(created.status());
        std::string body;
        JsonWriter json(body);
        json.begin_object().field("key", created->key);
        if (!created->identity_secret.empty()) {
          json.field("identity_secret", created->identity_secret);
        }
        append_record(json, created->record);
        json.end_object();
        later->send(json_response(std::move(body), 201));
      }));
}

void renew_identity(const Services& services, const Request& request, Reply reply) {
  const LaterReply later(std::move(reply));
  const std::string id(request.path("id"));
  later.fail_unless_ok(services.keys.renew_identity(
      services.committer, id, [later, id](const absl::StatusOr<std::string>& secret) {
        if (!secret.ok()) return later->fail(secret.status());
        std::string body;
        JsonWriter json(body);
        json.begin_object().field("id", id).field("identity_secret", *secret).end_object();
        later->send(json_response(std::move(body), 201));
      }));
}

absl::StatusOr<Response> list_keys(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("keys").begin_array();
  for (const KeyRecord& record : services.keys.list()) {
    json.begin_object();
    append_record(json, record);
    json.end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

void revoke_key(const Services& services, const Request& request, Reply reply) {
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.keys.revoke(services.committer, std::string(request.path("id")),
                                            [later](const absl::Status& revoked) {
                                              if (!revoked.ok()) return later->fail(revoked);
                                              later->send({204, "", "application/json", {}});
                                            }));
}

}  // namespace

void add_key_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/keys", Scope::admin, [&services](Request& request, Reply reply) {
    create_key(services, request, std::move(reply));
  });
  router.add("GET", "/v1/keys", Scope::admin, answer_at_once([&services](Request& request) {
               return list_keys(services, request);
             }));
  router.add("POST", "/v1/keys/{id}/identity-secrets", Scope::admin,
             [&services](Request& request, Reply reply) {
               renew_identity(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/keys/{id}", Scope::admin, [&services](Request& request, Reply reply) {
    revoke_key(services, request, std::move(reply));
  });
}

}  // namespace vitrine::http
