// What customers are worth, where they move, and who comes back: GET /v1/analytics/rfm, cohorts.
#include "base/status.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_time_bytes_max = 40;
constexpr TimeMs k_compared_days = 30;
constexpr std::int64_t k_months_usual = 12;

TimeMs read_time(QueryReader& query, std::string_view name, TimeMs otherwise_ms) {
  const auto text = query.text(name, k_time_bytes_max);
  if (!text) return otherwise_ms;
  const absl::StatusOr<TimeMs> time_ms = parse_time(*text);
  if (!time_ms.ok()) query.refuse(name, message_of(time_ms.status()));
  return time_ms.value_or(otherwise_ms);
}

void append_tally(JsonWriter& json, const segments::RfmTally& tally,
                  const segments::RfmView& view) {
  json.field("people", tally.people).field("spend", tally.spend);
  json.field("spend_share", view.spend > 0 ? tally.spend / view.spend : 0.0);
}

void append_grid(JsonWriter& json, const segments::RfmView& view) {
  json.key("grid").begin_array();
  for (std::size_t r = 0; r < view.grid.size(); ++r) {
    for (std::size_t f = 0; f < view.grid.at(r).size(); ++f) {
      json.begin_object().field("recency", r + 1).field("frequency", f + 1);
      append_tally(json, view.grid.at(r).at(f), view);
      json.end_object();
    }
  }
  json.end_array();
}

void append_groups(JsonWriter& json, const segments::RfmView& view) {
  const auto groups = segments::rfm_groups();
  json.key("groups").begin_array();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    json.begin_object().field("group", groups[i].name).field("meaning", groups[i].meaning);
    append_tally(json, view.groups.at(i), view);
    json.end_object();
  }
  json.end_array().key("cells").begin_array();
  const auto cells = segments::rfm_cells();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    json.begin_object().field("cell", cells[i].name).field("chinese", cells[i].chinese);
    append_tally(json, view.cells.at(i), view);
    json.end_object();
  }
  json.end_array();
}

void append_moves(JsonWriter& json, const std::array<std::array<std::size_t, 8>, 8>& moved) {
  const auto groups = segments::rfm_groups();
  json.key("moved").begin_array();
  for (std::size_t from = 0; from < groups.size(); ++from) {
    for (std::size_t to = 0; to < groups.size(); ++to) {
      if (moved.at(from).at(to) == 0) continue;
      json.begin_object().field("from", groups[from].name).field("to", groups[to].name);
      json.field("people", moved.at(from).at(to)).end_object();
    }
  }
  json.end_array();
}

void append_months(JsonWriter& json, const std::vector<segments::RfmMonth>& months) {
  const auto groups = segments::rfm_groups();
  json.key("months").begin_array();
  for (const segments::RfmMonth& month : months) {
    json.begin_object().field("from", format_time(month.from_ms));
    json.field("to", format_time(month.to_ms)).key("groups").begin_array();
    for (std::size_t i = 0; i < groups.size(); ++i) {
      json.begin_object().field("group", groups[i].name).field("people", month.people.at(i));
      json.end_object();
    }
    json.end_array();
    append_moves(json, month.moved);
    json.end_object();
  }
  json.end_array();
}

template <class Bounds>
void append_bounds(JsonWriter& json, std::string_view name, const Bounds& bounds, double unit) {
  json.key(name).begin_array();
  for (const double bound : bounds) json.value(bound / unit);
  json.end_array();
}

absl::StatusOr<Response> rfm(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const TimeMs now_ms = services.clock.now_ms();
  const TimeMs as_of_ms = read_time(query, "as_of", now_ms);
  const TimeMs compared_to_ms =
      read_time(query, "compared_to", as_of_ms - k_compared_days * k_day_ms);
  if (compared_to_ms > as_of_ms) query.refuse("compared_to", "must not be after as_of");
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(const segments::RfmView view,
                           services.segment_engine.rfm_view(as_of_ms, compared_to_ms));
  double unit = 1;
  for (int i = currency_digits(view.currency); i > 0; --i) unit *= 10;
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("as_of", format_time(as_of_ms));
  json.field("compared_to", format_time(compared_to_ms)).key("currency");
  view.currency.empty() ? json.null() : json.value(view.currency);
  json.field("buyers", view.bounds.buyers).field("spend", view.spend);
  json.key("bounds").begin_object();
  append_bounds(json, "recency_days", view.bounds.recency_days, 1);
  append_bounds(json, "frequency", view.bounds.frequency, 1);
  append_bounds(json, "monetary", view.bounds.monetary, unit);
  json.end_object();
  append_grid(json, view);
  append_groups(json, view);
  append_moves(json, view.moved);
  json.end_object();
  return json_response(std::move(body));
}

struct MonthsAsked {
  TimeMs as_of_ms = 0;
  std::size_t months = 0;  // before it
};

absl::StatusOr<MonthsAsked> read_months(const Services& services, const Request& request,
                                        std::int64_t months_max) {
  QueryReader query(request.query);
  const TimeMs as_of_ms = read_time(query, "as_of", services.clock.now_ms());
  const auto months = query.integer("months", 1, months_max).value_or(k_months_usual);
  VITRINE_RETURN_IF_ERROR(query.finish());
  return MonthsAsked{as_of_ms, static_cast<std::size_t>(months)};
}

absl::StatusOr<Response> rfm_months(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const MonthsAsked asked,
                           read_months(services, request, segments::RfmMonth::k_months_max));
  VITRINE_ASSIGN_OR_RETURN(const std::vector<segments::RfmMonth> months,
                           services.segment_engine.rfm_months(asked.as_of_ms, asked.months));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("as_of", format_time(asked.as_of_ms));
  append_months(json, months);
  json.end_object();
  return json_response(std::move(body));
}

void append_cohort(JsonWriter& json, const segments::Cohort& cohort) {
  const auto share_of = [](std::size_t some, std::size_t all) {
    return static_cast<double>(some) / static_cast<double>(all);
  };
  json.begin_object().field("month", format_time(cohort.begin_ms).substr(0, 7));
  json.field("buyers", cohort.buyers).key("months").begin_array();
  for (const segments::CohortMonth& month : cohort.months) {
    json.begin_object().field("buyers", month.buyers).key("share");
    cohort.buyers == 0 ? json.null() : json.value(share_of(month.buyers, cohort.buyers));
    json.field("orders", month.orders).field("spend", month.spend).end_object();
  }
  json.end_array().key("ordered_again").begin_array();
  for (std::size_t i = 0; i < cohort.within.size(); ++i) {
    const segments::Repurchase& within = cohort.within.at(i);
    json.begin_object().field("within_days", segments::Cohort::k_days.at(i));
    json.field("watched", within.watched).field("again", within.again).key("share");
    within.watched == 0 ? json.null() : json.value(share_of(within.again, within.watched));
    json.end_object();
  }
  json.end_array().end_object();
}

absl::StatusOr<Response> cohorts(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const MonthsAsked asked,
                           read_months(services, request, segments::CohortView::k_months_max));
  VITRINE_ASSIGN_OR_RETURN(const segments::CohortView view,
                           services.segment_engine.cohorts(asked.as_of_ms, asked.months));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("as_of", format_time(asked.as_of_ms)).key("currency");
  view.currency.empty() ? json.null() : json.value(view.currency);
  json.key("cohorts").begin_array();
  for (const segments::Cohort& cohort : view.cohorts) append_cohort(json, cohort);
  json.end_array().end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_analytics_routes(Router& router, const Services& services) {
  const auto add = [&](std::string_view path, const auto& answer) {
    router.add("GET", path, Scope::marketing,
               services.workers.answer_aside(
                   [] { return true; },
                   [&services, answer](Request& request) { return answer(services, request); }));
  };
  add("/v1/analytics/rfm", rfm);
  add("/v1/analytics/rfm/months", rfm_months);
  add("/v1/analytics/cohorts", cohorts);
}

}  // namespace vitrine::http
