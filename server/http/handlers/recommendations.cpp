// What to show next: POST /v1/recommendations, GET /v1/placements/{placement}/products, GET
// /v1/placements.
#include "base/status.h"
#include "server/http/handlers/recommendation_json.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

absl::StatusOr<Response> answer(const recommend::Recommender& recommender,
                                absl::StatusOr<RecommendationCall> call) {
  if (!call.ok()) return call.status();
  VITRINE_ASSIGN_OR_RETURN(const recommend::RecommendAnswer found,
                           recommender.recommend(call->request));
  return json_response(recommendation_json(*call, found));
}

std::string placements_json(const recommend::PlacementBook& book) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("placements").begin_array();
  for (const recommend::Placement& placement : book.all()) {
    json.begin_object().field("placement", placement.name);
    json.field("description", placement.description).key("sources").begin_array();
    for (const recommend::SourceWeight& source : placement.sources) {
      json.begin_object().field("source", source.source).field("weight", source.weight);
      json.end_object();
    }
    json.end_array().key("fallback").begin_array();
    for (const std::string& source : placement.fallback) json.value(source);
    json.end_array().field("needs_product", placement.needs_product);
    json.field("needs_cart", placement.needs_cart).end_object();
  }
  json.end_array().end_object();
  return body;
}

}  // namespace

void add_recommendation_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/recommendations", Scope::recommend,
             answer_at_once([&services](Request& request) {
               return answer(services.recommender,
                             recommendation_from_body(request, services.limits));
             }));
  router.add("GET", "/v1/placements/{placement}/products", Scope::recommend,
             answer_at_once([&services](Request& request) {
               return answer(services.recommender, recommendation_from_query(request));
             }));
  router.add("GET", "/v1/placements", Scope::recommend,
             answer_at_once([&services](Request& request) -> absl::StatusOr<Response> {
               VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
               return json_response(placements_json(*services.recommender.placements()));
             }));
}

}  // namespace vitrine::http
