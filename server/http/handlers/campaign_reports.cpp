// Did it pay: GET /v1/campaigns/{campaign}/report.
#include "base/status.h"
#include "server/http/campaign_report_json.h"
#include "server/http/handlers/routes.h"
#include "server/http/query_reader.h"
#include "server/payoff/campaign_report.h"

namespace vitrine::http {
namespace {

using payoff::CampaignReporter;

constexpr std::size_t k_currency_bytes_max = 3;

absl::StatusOr<Response> report(const Services& services, const Request& request) {
  QueryReader query(request.query);
  CampaignReporter::Question question{.campaign = std::string(request.path("campaign"))};
  question.window_days = query.integer("window_days", 1, CampaignReporter::k_window_days_max)
                             .value_or(question.window_days);
  question.currency = query.text("currency", k_currency_bytes_max).value_or("");
  if (!question.currency.empty() && !is_currency(question.currency)) {
    query.refuse("currency",
                 fmt::format("must be three capital letters as EUR, got '{}'", question.currency));
  }
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(const payoff::CampaignReport found,
                           services.campaign_reports.report(question));
  std::string body;
  JsonWriter json(body);
  append_campaign_report(json, found);
  return json_response(std::move(body));
}

}  // namespace

void add_campaign_report_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/campaigns/{campaign}/report", Scope::marketing,
             services.workers.answer_aside(
                 [] { return true; },
                 [&services](Request& request) { return report(services, request); }));
}

}  // namespace vitrine::http
