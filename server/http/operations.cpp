#include "server/http/operations.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

void append_reasons(JsonWriter& json, const std::vector<Shortcoming>& all, bool forbids_traffic) {
  json.begin_array();
  for (const Shortcoming& each : all) {
    if (each.forbids_traffic != forbids_traffic) continue;
    json.begin_object().field("reason", each.reason).field("message", each.message).end_object();
  }
  json.end_array();
}

// Ready with what is wanting all the same, or the form of every failure with the reasons besides.
Response readiness_response(const std::vector<Shortcoming>& all, std::string_view request_id) {
  const auto first = std::find_if(all.begin(), all.end(),
                                  [](const Shortcoming& each) { return each.forbids_traffic; });
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (first == all.end()) {
    json.field("status", "ready").key("degraded");
    append_reasons(json, all, false);
    json.end_object();
    return json_response(std::move(body));
  }
  json.key("error").begin_object().field("code", "unavailable").field("message", first->message);
  json.field("request_id", request_id).end_object().key("reasons");
  append_reasons(json, all, true);
  json.end_object();
  Response response = json_response(std::move(body), 503);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

void add_operations_routes(Router& router, Readiness readiness, const Metrics& metrics,
                           std::function<void()> refresh) {
  router.add("GET", "/healthz", std::nullopt,
             answer_at_once([](Request&) { return json_response(R"({"status":"alive"})"); }));
  router.add("GET", "/readyz", std::nullopt,
             [readiness = std::move(readiness)](Request&, Reply reply) {
               reply.send(readiness_response(readiness(), reply.request_id()));
             });
  router.add("GET", "/metrics", Scope::admin,
             answer_at_once([&metrics, refresh = std::move(refresh)](Request&) {
               refresh();
               return Response{200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8", {}};
             }));
  router.add("GET", "/openapi.yaml", std::nullopt, answer_at_once([](Request&) {
               return Response{200, std::string(openapi_yaml()), "application/yaml", {}};
             }));
}

}  // namespace vitrine::http
