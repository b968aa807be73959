// What browser clients ask for before they send anything: where to send it, and that there is
// nobody else to send it to.
#include <string>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

using GivenKey = AccessPolicy::GivenKey;

// Segment's.
absl::StatusOr<Response> settings(const Router& router, Request& request) {
  const std::string key(request.path("key"));
  VITRINE_RETURN_IF_ERROR(router.access().authorize_key(
      request, GivenKey{.key = key, .is_in_url = true}, Scope::collect));
  const std::string_view host = request.headers.find("Host").value_or("localhost");
  const std::string_view protocol = request.headers.find("X-Forwarded-Proto").value_or("");
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("integrations").begin_object().key("Segment.io").begin_object();
  json.field("apiKey", key).field("apiHost", std::string(host) + "/v1");
  // The client speaks https unless it is told otherwise.
  if (protocol == "http" || (protocol.empty() && is_loopback_host(host))) {
    json.field("protocol", "http");
  }
  json.end_object().end_object().end_object();
  return json_response(std::move(body));
}

// RudderStack's. It sends where it was told to when it was loaded, and its reports on itself
// nowhere.
absl::StatusOr<Response> source_config(const Router& router, Request& request) {
  std::optional<GivenKey> given;
  if (auto basic = basic_key_of(request)) {
    given = GivenKey{.key = *std::move(basic)};
  } else if (const auto in_url = find_parameter(request.query, "writeKey")) {
    given = GivenKey{.key = std::string(*in_url), .is_in_url = true};
  }
  VITRINE_RETURN_IF_ERROR(router.access().authorize_key(request, given, Scope::collect));
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("source").begin_object();
  json.field("id", request.key_id.empty() ? "vitrine" : request.key_id);
  json.field("name", "vitrine").field("enabled", true).field("workspaceId", "vitrine");
  json.key("destinations").begin_array().end_array();
  json.key("config").raw(
      R"({"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}})");
  json.end_object().end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_tracking_settings_routes(Router& router) {
  for (const std::string path : {"/projects/{key}/settings", "/v1/projects/{key}/settings"}) {
    router.add_with_own_key("GET", path, answer_at_once([&router](Request& request) {
                              return settings(router, request);
                            }));
  }
  for (const std::string path : {"/sourceConfig", "/sourceConfig/"}) {
    router.add_with_own_key("GET", path, answer_at_once([&router](Request& request) {
                              return source_config(router, request);
                            }));
  }
}

}  // namespace vitrine::http
