#include "server/http/campaign_json.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/status.h"
#include "server/expressions/tree.h"
#include "server/http/response.h"
#include "server/http/word_reader.h"
#include "server/segments/segment_programs.h"

namespace vitrine::http {
namespace {

using coupons::Campaign;
using coupons::CampaignState;
using coupons::Limit;

constexpr std::size_t k_moment_bytes_max = 40;
constexpr std::size_t k_word_bytes_max = 100;
constexpr std::int64_t k_priority_max = 1000;

enum class Breach : std::uint8_t { deny, cap };
constexpr Breach k_breaches[] = {Breach::deny, Breach::cap};
std::string_view name_of(Breach breach) { return breach == Breach::cap ? "cap" : "deny"; }

absl::StatusOr<Limit> read_limit(const boost::json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Limit limit;
  limit.measure = read_word(reader, "measure", coupons::k_measures).value_or(limit.measure);
  if (!reader.has("measure")) reader.refuse("measure", "is needed");
  limit.scope = read_word(reader, "scope", coupons::k_scopes).value_or(limit.scope);
  limit.period = read_word(reader, "period", coupons::k_periods).value_or(limit.period);
  limit.caps = read_word(reader, "on_breach", k_breaches).value_or(Breach::deny) == Breach::cap;
  limit.currency = reader.text("currency", k_word_bytes_max).value_or("");
  if (is_money(limit.measure)) {
    if (!is_currency(limit.currency)) {
      reader.refuse("currency", "must be three capital letters as EUR for an amount of money");
    }
    const auto amount = read_amount(reader, "value", limit.currency);
    if (!amount) reader.refuse("value", "is needed");
    limit.value = amount.value_or(Money{}).minor;
  } else {
    const auto count = reader.integer("value", 0, Limit::k_value_max);
    if (!count) reader.refuse("value", "is needed");
    limit.value = count.value_or(0);
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return limit;
}

absl::Status read_window(const boost::json::value* value, Campaign& campaign) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "window");
  campaign.start_ms = read_moment(reader, "start").value_or(campaign.start_ms);
  campaign.end_ms = read_moment(reader, "end").value_or(campaign.end_ms);
  const std::string_view zone =
      reader.text("time_zone", k_word_bytes_max).value_or(coupons::Calendar::k_default_zone);
  if (!campaign.calendar.set_zone(zone)) {
    reader.refuse(
        "time_zone",
        fmt::format("must be a name of the IANA database as Europe/Berlin, got '{}'", zone));
  }
  return reader.finish();
}

absl::Status read_holdout(const boost::json::value* value, Campaign& campaign) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "holdout");
  campaign.holdout_share =
      reader.number("share", 0, Campaign::k_holdout_share_max).value_or(campaign.holdout_share);
  campaign.holdout_seed = reader.text("seed", k_word_bytes_max).value_or("");
  return reader.finish();
}

absl::Status compile_audience(Campaign& campaign) {
  if (campaign.audience.empty()) return absl::OkStatus();
  auto program = segments::compile_for_people(campaign.audience);
  if (!program.ok()) {
    return invalid_argument("audience {}", message_of(program.status()));
  }
  campaign.is_meant = std::make_shared<const expressions::Program>(*std::move(program));
  return absl::OkStatus();
}

}  // namespace

absl::Status with_its_own_field(absl::Status status) {
  if (status.ok()) return status;
  const std::string field(message_of(status).substr(0, message_of(status).find(' ')));
  return with_field(std::move(status), field);
}

std::optional<TimeMs> read_moment(ObjectReader& reader, std::string_view name) {
  const auto text = reader.text(name, k_moment_bytes_max);
  if (!text) return std::nullopt;
  const absl::StatusOr<TimeMs> time = parse_time(*text);
  if (time.ok()) return *time;
  reader.refuse(name, message_of(time.status()));
  return std::nullopt;
}

std::optional<Money> read_amount(ObjectReader& reader, std::string_view name,
                                 std::string_view currency) {
  const auto text = reader.text(name, k_moment_bytes_max);
  if (!text || !is_currency(currency)) return std::nullopt;
  const absl::StatusOr<Money> amount = parse_money(*text, currency);
  if (!amount.ok()) {
    reader.refuse(name, message_of(amount.status()));
    return std::nullopt;
  }
  if (amount->minor < 0) reader.refuse(name, fmt::format("must not be negative, got {}", *text));
  return *amount;
}

std::vector<std::string> read_words(ObjectReader& reader, std::string_view name) {
  std::vector<std::string> words;
  for (const std::string_view word : reader.texts(name, Campaign::k_list_max, k_word_bytes_max)) {
    words.emplace_back(word);
  }
  return words;
}

void append_words(JsonWriter& json, std::string_view name, const std::vector<std::string>& words) {
  json.key(name).begin_array();
  for (const std::string& word : words) json.value(word);
  json.end_array();
}

absl::StatusOr<std::vector<Limit>> read_limits(ObjectReader& reader, std::string_view name,
                                               const std::string& path) {
  std::vector<Limit> limits;
  const boost::json::array* const all = reader.array(name, Campaign::k_limits_max);
  if (all == nullptr) return limits;
  for (const boost::json::value& one : *all) {
    VITRINE_ASSIGN_OR_RETURN(Limit limit,
                             read_limit(one, fmt::format("{}[{}]", path, limits.size())));
    limits.push_back(std::move(limit));
  }
  return limits;
}

void append_limits(JsonWriter& json, std::string_view name, const std::vector<Limit>& limits) {
  json.key(name).begin_array();
  for (const Limit& limit : limits) {
    json.begin_object().field("measure", name_of(limit.measure));
    json.field("scope", name_of(limit.scope)).field("period", name_of(limit.period)).key("value");
    if (is_money(limit.measure)) {
      json.value(format_money({limit.value}, limit.currency)).field("currency", limit.currency);
    } else {
      json.value(limit.value);
    }
    json.field("on_breach", limit.caps ? "cap" : "deny").end_object();
  }
  json.end_array();
}

absl::StatusOr<Campaign> campaign_from_json(std::string_view text, std::string_view id,
                                            std::size_t max_depth) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(text, max_depth));
  ObjectReader reader(document.root(), "");
  Campaign campaign{.id = std::string(id)};
  if (reader.text("campaign", Campaign::k_text_bytes_max).value_or(id) != id) {
    reader.refuse("campaign", fmt::format("must be the path's, '{}'", id));
  }
  campaign.name = reader.text("name", Campaign::k_text_bytes_max).value_or("");
  campaign.state =
      read_word(reader, "state", coupons::k_campaign_states).value_or(CampaignState::draft);
  VITRINE_RETURN_IF_ERROR(read_window(reader.object("window"), campaign));
  campaign.markets = read_words(reader, "markets");
  campaign.channels = read_words(reader, "channels");
  campaign.audience = reader.text("audience", expressions::Limits().bytes_max).value_or("");
  VITRINE_RETURN_IF_ERROR(read_holdout(reader.object("holdout"), campaign));
  campaign.priority = reader.integer("priority", -k_priority_max, k_priority_max).value_or(0);
  VITRINE_ASSIGN_OR_RETURN(campaign.budgets, read_limits(reader, "budgets", "budgets"));
  campaign.version = static_cast<std::uint64_t>(
      reader.integer("version", 0, std::numeric_limits<std::int64_t>::max()).value_or(0));
  campaign.changed_ms = read_moment(reader, "changed_at").value_or(0);
  reader.object("detectable_effect");  // is told, and not kept
  VITRINE_RETURN_IF_ERROR(reader.finish());
  if (!coupons::is_coupon_id(id)) {
    return with_field(invalid_argument("campaign must be 1 to {} letters, digits, '.', '_' or '-', "
                                       "got '{}'",
                                       Campaign::k_id_bytes_max, id),
                      "campaign");
  }
  VITRINE_RETURN_IF_ERROR(with_its_own_field(compile_audience(campaign)));
  VITRINE_RETURN_IF_ERROR(with_its_own_field(validate(campaign)));
  return campaign;
}

void append_campaign(JsonWriter& json, const Campaign& campaign, TimeMs now_ms) {
  json.begin_object().field("campaign", campaign.id).field("name", campaign.name);
  json.field("state", name_of(campaign.state_at(now_ms))).key("window").begin_object();
  json.key("start");
  campaign.start_ms == 0 ? json.null() : json.value(format_time(campaign.start_ms));
  json.key("end");
  campaign.end_ms == Campaign::k_never_ms ? json.null() : json.value(format_time(campaign.end_ms));
  json.field("time_zone", campaign.calendar.zone()).end_object();
  append_words(json, "markets", campaign.markets);
  append_words(json, "channels", campaign.channels);
  json.field("audience", campaign.audience).key("holdout").begin_object();
  json.field("share", campaign.holdout_share).field("seed", campaign.holdout_seed).end_object();
  json.field("priority", campaign.priority);
  append_limits(json, "budgets", campaign.budgets);
  json.field("version", campaign.version).key("changed_at");
  campaign.changed_ms == 0 ? json.null() : json.value(format_time(campaign.changed_ms));
  json.end_object();
}

}  // namespace vitrine::http
