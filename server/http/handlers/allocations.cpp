// Who gets which offer of a campaign: POST /v1/campaigns/{campaign}/allocations and GET
// /v1/campaigns/{campaign}/allocations/{allocation}.
#include "server/coupons/allocations.h"

#include <utility>

#include "base/status.h"
#include "server/http/allocation_json.h"
#include "server/http/campaign_json.h"
#include "server/http/handlers/coupon_routes.h"
#include "server/http/json_reader.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using coupons::AllocationQuestion;
using coupons::Allocations;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_currency_bytes_max = 3;

Response run_response(const Allocations::Run& run, int status) {
  std::string body;
  JsonWriter json(body);
  append_allocation(json, run);
  return json_response(std::move(body), status);
}

absl::StatusOr<AllocationQuestion> read_question(const Services& services, const Request& request) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  AllocationQuestion question{.campaign = std::string(request.path("campaign"))};
  question.segment = reader.text("segment", k_id_bytes_max).value_or("");
  question.round = reader.text("round", k_id_bytes_max).value_or("1");
  question.market = reader.text("market", k_id_bytes_max).value_or("");
  question.currency = reader.text("currency", k_currency_bytes_max).value_or("");
  for (const std::string_view id :
       reader.texts("offers", coupons::Allocator::k_offers_max, k_id_bytes_max)) {
    question.offers.emplace_back(id);
  }
  if (!question.currency.empty() && !is_currency(question.currency)) {
    reader.refuse("currency",
                  fmt::format("must be three capital letters as EUR, got '{}'", question.currency));
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return question;
}

absl::StatusOr<Response> begin(const Services& services, Allocations& allocations,
                               const Request& request) {
  QueryReader query(request.query);
  const bool is_trial = query.boolean("validate_only").value_or(false);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(AllocationQuestion question, read_question(services, request));
  const auto run = allocations.begin(std::move(question), is_trial);
  if (!run.ok()) {
    return absl::IsInvalidArgument(run.status()) ? with_its_own_field(run.status()) : run.status();
  }
  const bool taken =
      services.workers.try_run([&allocations, id = run->id] { allocations.work(id); });
  if (taken) return run_response(*run, 202);
  absl::Status busy = overloaded("too many requests wait for a thread already, try again");
  allocations.give_up(run->id, busy);
  return busy;
}

absl::StatusOr<Response> look(const Allocations& allocations, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const auto run = allocations.run(request.path("campaign"), request.path("allocation"));
  if (!run) {
    return not_found("campaign {} has no allocation {}", request.path("campaign"),
                     request.path("allocation"));
  }
  return run_response(*run, 200);
}

}  // namespace

void add_allocation_routes(Router& router, const Services& services, Allocations& allocations) {
  router.add("POST", "/v1/campaigns/{campaign}/allocations", Scope::marketing,
             answer_at_once([&services, &allocations](Request& request) {
               return begin(services, allocations, request);
             }));
  router.add(
      "GET", "/v1/campaigns/{campaign}/allocations/{allocation}", Scope::marketing,
      answer_at_once([&allocations](Request& request) { return look(allocations, request); }));
}

}  // namespace vitrine::http
