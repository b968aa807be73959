// For the operator: counts (GET /v1/stats).
#include "base/status.h"
#include "server/http/handlers/routes.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
void add_admin_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/stats", Scope::admin,
             answer_at_once([&services](Request& request) -> absl::StatusOr<Response> {
               VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
               VITRINE_ASSIGN_OR_RETURN(std::string body, services.stats_json());
               return json_response(std::move(body));
             }));
}

}  // namespace vitrine::http
