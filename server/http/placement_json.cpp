#include "server/http/placement_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <limits>
#include <utility>

#include "base/status.h"
#include "server/http/condition_json.h"
#include "server/http/json_reader.h"
#include "server/http/response.h"
#include "server/recommend/placement_book.h"
#include "server/recommend/pool.h"

namespace vitrine::http {
namespace {

using recommend::Placement;
using recommend::PlacementLimits;
using recommend::PurchasedPolicy;
using recommend::SourceWeight;
using recommend::Variety;

constexpr std::size_t k_fallback_max = 32;

constexpr std::array<std::pair<PurchasedPolicy, std::string_view>, 3> k_policies = {
    {{PurchasedPolicy::show, "show"},
     {PurchasedPolicy::hide_for_180_days, "hide_for_180_days"},
     {PurchasedPolicy::show_when_due, "show_when_due"}}};

PurchasedPolicy read_policy(ObjectReader& reader) {
  const auto text = reader.text("purchased", PlacementLimits::k_name_bytes_max);
  if (!text) return PurchasedPolicy::show;
  std::string names;
  for (const auto& [policy, name] : k_policies) {
    if (name == *text) return policy;
    names += (names.empty() ? "" : ", ");
    names += name;
  }
  reader.refuse("purchased", fmt::format("must be one of {}, got '{}'", names, *text));
  return PurchasedPolicy::show;
}

std::string_view name_of(PurchasedPolicy policy) {
  const auto found =
      std::ranges::find(k_policies, policy, [](const auto& known) { return known.first; });
  return found == k_policies.end() ? std::string_view() : found->second;
}

void read_sources(ObjectReader& reader, Placement& placement) {
  const boost::json::array* const entries = reader.array("sources", recommend::Pool::k_sources_max);
  if (entries == nullptr) return;
  for (const boost::json::value& entry : *entries) {
    ObjectReader inner(entry, fmt::format("sources[{}]", placement.sources.size()));
    SourceWeight weighted;
    weighted.source = inner.required_text("source", PlacementLimits::k_name_bytes_max);
    weighted.weight = static_cast<float>(
        inner.number("weight", std::numeric_limits<float>::min(), PlacementLimits::k_weight_max)
            .value_or(1));
    if (const absl::Status status = inner.finish(); !status.ok()) {
      std::string_view message = message_of(status);
      const std::size_t end = std::min(message.find(' '), message.size());
      return reader.refuse(message.substr(0, end),
                           message.substr(std::min(end + 1, message.size())));
    }
    placement.sources.push_back(std::move(weighted));
  }
}

std::size_t read_count(ObjectReader& reader, std::string_view name) {
  return static_cast<std::size_t>(
      reader.integer(name, 0, static_cast<std::int64_t>(Variety::k_count_max)).value_or(0));
}

absl::Status read_variety(const boost::json::value* value, Variety& variety) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "variety");
  variety.diversity = static_cast<float>(reader.number("diversity", 0, 1).value_or(0));
  variety.category_max = read_count(reader, "category_max");
  variety.brand_max = read_count(reader, "brand_max");
  variety.repeats_max_share = static_cast<float>(
      reader.number("repeats_max_share", std::numeric_limits<float>::min(), 1).value_or(1));
  variety.rotates = reader.boolean("rotates").value_or(false);
  variety.explores_one_in = read_count(reader, "explores_one_in");
  return reader.finish();
}

void read_flags(ObjectReader& reader, Placement& placement) {
  placement.uses_blend = reader.boolean("uses_blend").value_or(true);
  placement.needs_product = reader.boolean("needs_product").value_or(false);
  placement.needs_cart = reader.boolean("needs_cart").value_or(false);
  placement.exclude_product_group = reader.boolean("exclude_product_group").value_or(false);
  placement.exclude_cart = reader.boolean("exclude_cart").value_or(false);
  placement.answers_newest = reader.boolean("answers_newest").value_or(false);
}

// A refusal of the placement as a whole begins with its field.
absl::Status with_its_field(absl::Status status) {
  const std::string field(message_of(status).substr(0, message_of(status).find(' ')));
  return with_field(std::move(status), field);
}

}  // namespace

absl::StatusOr<Placement> placement_from_json(std::string_view text, std::string_view name,
                                              std::size_t max_depth) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(text, max_depth));
  ObjectReader reader(document.root(), "");
  Placement placement;
  placement.name = name;
  if (reader.text("placement", PlacementLimits::k_text_bytes_max).value_or(name) != name) {
    reader.refuse("placement", fmt::format("must be the path's, '{}'", name));
  }
  placement.description =
      reader.text("description", PlacementLimits::k_text_bytes_max).value_or("");
  read_sources(reader, placement);
  for (const std::string_view source :
       reader.texts("fallback", k_fallback_max, PlacementLimits::k_name_bytes_max)) {
    placement.fallback.emplace_back(source);
  }
  placement.purchased = read_policy(reader);
  read_flags(reader, placement);
  placement.filter = read_condition(reader, "filter", "");
  placement.audience = read_audience(reader, "audience");
  placement.rules = read_rules(reader, "rules", "");
  const boost::json::value* const variety = reader.object("variety");
  placement.version = static_cast<std::uint64_t>(
      reader.integer("version", 0, std::numeric_limits<std::int64_t>::max()).value_or(0));
  reader.boolean("shipped");
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(read_variety(variety, placement.variety));
  if (absl::Status status = recommend::validate(placement); !status.ok()) {
    return with_its_field(std::move(status));
  }
  return placement;
}

void append_placement(JsonWriter& json, const Placement& placement) {
  json.begin_object().field("placement", placement.name);
  json.field("description", placement.description).key("sources").begin_array();
  for (const SourceWeight& source : placement.sources) {
    json.begin_object().field("source", source.source).field("weight", source.weight).end_object();
  }
  json.end_array().key("fallback").begin_array();
  for (const std::string& source : placement.fallback) json.value(source);
  json.end_array().field("purchased", name_of(placement.purchased));
  json.field("uses_blend", placement.uses_blend);
  json.field("needs_product", placement.needs_product).field("needs_cart", placement.needs_cart);
  json.field("exclude_product_group", placement.exclude_product_group);
  json.field("exclude_cart", placement.exclude_cart);
  json.field("answers_newest", placement.answers_newest).key("filter");
  append_condition(json, placement.filter);
  if (!placement.audience.is_empty()) json.field("audience", placement.audience.text());
  json.key("rules").begin_array();
  for (const recommend::Rule& rule : placement.rules) append_rule(json, rule);
  json.end_array().key("variety").begin_object();
  json.field("diversity", placement.variety.diversity);
  json.field("category_max", placement.variety.category_max);
  json.field("brand_max", placement.variety.brand_max);
  json.field("repeats_max_share", placement.variety.repeats_max_share);
  json.field("rotates", placement.variety.rotates);
  json.field("explores_one_in", placement.variety.explores_one_in).end_object();
  json.field("version", placement.version);
  json.field("shipped", recommend::PlacementBook::ships(placement.name)).end_object();
}

}  // namespace vitrine::http
