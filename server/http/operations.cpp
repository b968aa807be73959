#include "server/http/operations.h"

#include <string>
#include <utility>

#include "base/status.h"

namespace vitrine::http {

void add_operations_routes(Router& router, Readiness readiness, const Metrics& metrics) {
  router.add("GET", "/healthz", std::nullopt,
             answer_at_once([](Request&) { return json_response(R"({"status":"alive"})"); }));
  router.add(
      "GET", "/readyz", std::nullopt,
      answer_at_once([readiness = std::move(readiness)](Request&) -> absl::StatusOr<Response> {
        VITRINE_RETURN_IF_ERROR(readiness());
        return json_response(R"({"status":"ready"})");
      }));
  router.add("GET", "/metrics", Scope::admin, answer_at_once([&metrics](Request&) {
               return Response{200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8", {}};
             }));
  router.add("GET", "/openapi.yaml", std::nullopt, answer_at_once([](Request&) {
               return Response{200, std::string(openapi_yaml()), "application/yaml", {}};
             }));
}

}  // namespace vitrine::http
