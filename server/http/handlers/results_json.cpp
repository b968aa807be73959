#include "server/http/handlers/results_json.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using decisions::Counts;
using decisions::Grouping;
using decisions::ResultsQuery;

constexpr std::size_t k_text_bytes_max = 64;
constexpr TimeMs k_days_usual = 28;

constexpr std::array<std::pair<std::string_view, bool Grouping::*>, 5> k_groupings = {
    {{"day", &Grouping::day},
     {"source", &Grouping::source},
     {"position", &Grouping::position},
     {"model_version", &Grouping::model_version},
     {"placement_version", &Grouping::placement_version}}};

std::string day_text(std::int64_t day) { return format_time(day * k_day_ms).substr(0, 10); }

std::int64_t read_day(QueryReader& query, std::string_view name, std::int64_t usual) {
  const std::optional<std::string_view> text = query.text(name, k_text_bytes_max);
  if (!text) return usual;
  const absl::StatusOr<TimeMs> time = parse_time(*text);
  if (time.ok()) return *time / k_day_ms;
  query.refuse(name, fmt::format("must be a day such as 2026-11-21, got {}", *text));
  return usual;
}

Grouping read_grouping(QueryReader& query) {
  Grouping by;
  const std::vector<std::string> names = query.texts("by", k_groupings.size(), k_text_bytes_max);
  by.day = names.empty();
  for (const std::string& name : names) {
    bool is_known = false;
    for (const auto& [known, member] : k_groupings) {
      if (name != known) continue;
      by.*member = true;
      is_known = true;
    }
    if (!is_known) {
      query.refuse("by", fmt::format("must be among day, source, position, model_version, "
                                     "placement_version, got {}",
                                     name));
    }
  }
  return by;
}

void append_rate(JsonWriter& json, std::string_view name, std::uint64_t part, std::uint64_t whole) {
  json.key(name);
  whole == 0 ? json.null() : json.value(static_cast<double>(part) / static_cast<double>(whole));
}

void append_counts(JsonWriter& json, const Counts& counts) {
  json.field("served", counts.served).field("impressions", counts.impressions);
  json.field("clicks", counts.clicks).field("cart_adds", counts.cart_adds);
  json.field("purchases", counts.purchases).field("orders", counts.orders);
  json.key("revenue").begin_object();
  for (const auto& [currency, amount] : counts.revenue) {
    json.field(currency, format_money(amount, currency));
  }
  json.end_object();
  append_rate(json, "click_through_rate", counts.clicks, counts.impressions);
  append_rate(json, "purchase_rate", counts.purchases, counts.clicks);
}

}  // namespace

absl::StatusOr<ResultsQuery> results_query(const Request& request, TimeMs now_ms) {
  QueryReader query(request.query);
  ResultsQuery wanted;
  wanted.placement = request.path("placement");
  wanted.until_day = read_day(query, "until", now_ms / k_day_ms);
  wanted.from_day = read_day(query, "from", wanted.until_day - k_days_usual + 1);
  wanted.by = read_grouping(query);
  if (wanted.from_day > wanted.until_day) query.refuse("from", "must not be after until");
  VITRINE_RETURN_IF_ERROR(query.finish());
  return wanted;
}

std::string results_json(const ResultsQuery& query, const decisions::Results& results) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("placement", query.placement);
  json.field("from", day_text(query.from_day)).field("until", day_text(query.until_day));
  json.key("totals").begin_object();
  append_counts(json, results.totals);
  json.end_object().key("rows").begin_array();
  for (const decisions::ResultsRow& row : results.rows) {
    json.begin_object();
    if (query.by.day) json.field("day", day_text(row.cell.day));
    if (query.by.source) json.field("source", row.cell.source);
    if (query.by.position) json.field("position", row.cell.position);
    if (query.by.model_version) json.field("model_version", row.cell.model_version);
    if (query.by.placement_version) json.field("placement_version", row.cell.placement_version);
    append_counts(json, row.counts);
    json.end_object();
  }
  json.end_array().end_object();
  return body;
}

}  // namespace vitrine::http
