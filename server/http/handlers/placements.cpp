// The placements: GET /v1/placements for whoever asks for recommendations; GET, PUT and DELETE
// /v1/placements/{placement} and its results for whoever decides about them.
#include <span>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/results_json.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/placement_json.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using recommend::Placement;
using recommend::PlacementBook;

// What whoever may ask for products may know: filters and rules are the shop's own affair.
void append_summary(JsonWriter& json, const Placement& placement) {
  json.begin_object().field("placement", placement.name);
  json.field("description", placement.description).key("sources").begin_array();
  for (const recommend::SourceWeight& source : placement.sources) {
    json.begin_object().field("source", source.source).field("weight", source.weight).end_object();
  }
  json.end_array().field("needs_product", placement.needs_product);
  json.field("needs_cart", placement.needs_cart).field("version", placement.version).end_object();
}

std::string placements_json(const PlacementBook& book, bool is_whole) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("placements").begin_array();
  for (const Placement& placement : book.all()) {
    is_whole ? append_placement(json, placement) : append_summary(json, placement);
  }
  json.end_array().end_object();
  return body;
}

Response placement_response(const Placement& placement, int status) {
  Response response;
  response.status = status;
  JsonWriter json(response.body);
  append_placement(json, placement);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", placement.version));
  return response;
}

absl::StatusOr<Response> get_placement(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view name = request.path("placement");
  const std::shared_ptr<const PlacementBook> book = services.placements.current();
  const Placement* const placement = book->find(name);
  if (placement == nullptr) return not_found("there is no placement {}", name);
  return placement_response(*placement, 200);
}

struct WantedPlacement {
  Placement placement;
  PlacementStore::Expected expected;
  bool validate_only = false;
};

// A placement may name no segment that there is not.
absl::Status check_segments(const Services& services, const Placement& placement) {
  const auto programs = services.segments.current();
  for (const recommend::NamedSegment& named : named_segments(placement)) {
    const absl::Status known = programs->check_references(std::span(&named.segment, 1));
    if (!known.ok()) return with_field(known, named.where);
  }
  return absl::OkStatus();
}

absl::StatusOr<WantedPlacement> wanted_placement(const Services& services, const Request& request) {
  QueryReader query(request.query);
  WantedPlacement wanted;
  wanted.validate_only = query.boolean("validate_only").value_or(false);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(wanted.expected, expected_version(request));
  VITRINE_ASSIGN_OR_RETURN(
      wanted.placement,
      placement_from_json(request.body, request.path("placement"), services.limits.max_json_depth));
  VITRINE_RETURN_IF_ERROR(check_segments(services, wanted.placement));
  return wanted;
}

// What the change would be, against the placements as they are now.
absl::StatusOr<Response> try_out(const Services& services, WantedPlacement wanted) {
  const std::shared_ptr<const PlacementBook> book = services.placements.current();
  const Placement* const current = book->find(wanted.placement.name);
  VITRINE_RETURN_IF_ERROR(check_version(wanted.expected, current));
  wanted.placement.version = current != nullptr ? current->version : 0;
  return placement_response(wanted.placement, 200);
}

void put_placement(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<WantedPlacement> wanted = wanted_placement(services, request);
  if (!wanted.ok()) return reply.fail(wanted.status());
  if (wanted->validate_only) return reply.send_or_fail(try_out(services, *std::move(wanted)));
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.placements.put(
      services.committer, std::move(wanted->placement), wanted->expected,
      [later](absl::StatusOr<PlacementStore::Put> put) {
        if (!put.ok()) return later->fail(put.status());
        later->send(placement_response(put->placement, put->is_new ? 201 : 200));
      }));
}

void delete_placement(const Services& services, const Request& request, Reply reply) {
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.placements.remove(services.committer,
                                                  std::string(request.path("placement")), *expected,
                                                  [later](const absl::Status& removed) {
                                                    if (!removed.ok()) return later->fail(removed);
                                                    later->send({204, "", "application/json", {}});
                                                  }));
}

absl::StatusOr<Response> get_results(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const decisions::ResultsQuery query,
                           results_query(request, services.clock.now_ms()));
  const decisions::Results results = services.results.read(query);
  // What was removed since has results still.
  if (results.totals.served == 0 &&
      services.placements.current()->find(query.placement) == nullptr) {
    return not_found("there is no placement {}", query.placement);
  }
  return json_response(results_json(query, results));
}

}  // namespace

void add_placement_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/placements", Scope::recommend,
             answer_at_once([&services](Request& request) -> absl::StatusOr<Response> {
               VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
               return json_response(placements_json(*services.placements.current(),
                                                    request.scopes.allow(Scope::marketing)));
             }));
  router.add(
      "GET", "/v1/placements/{placement}", Scope::marketing,
      answer_at_once([&services](Request& request) { return get_placement(services, request); }));
  router.add("PUT", "/v1/placements/{placement}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               put_placement(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/placements/{placement}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               delete_placement(services, request, std::move(reply));
             });
  router.add(
      "GET", "/v1/placements/{placement}/results", Scope::marketing,
      answer_at_once([&services](Request& request) { return get_results(services, request); }));
}

}  // namespace vitrine::http
