#include "server/http/condition_json.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <limits>

#include "base/status.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

using recommend::ProductCondition;
using recommend::Rule;
using recommend::RuleKind;

constexpr std::size_t k_text_bytes_max = 1024;
constexpr std::size_t k_price_bytes_max = 32;

std::string path_of(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

std::vector<std::string> read_texts(ObjectReader& reader, std::string_view name) {
  std::vector<std::string> texts;
  for (const std::string_view text :
       reader.texts(name, ProductCondition::k_values_max, k_text_bytes_max)) {
    texts.emplace_back(text);
  }
  return texts;
}

std::optional<Money> read_price(ObjectReader& reader, std::string_view name,
                                std::string_view currency) {
  const std::optional<std::string_view> text = reader.text(name, k_price_bytes_max);
  if (!text) return std::nullopt;
  if (!is_currency(currency)) {
    reader.refuse("currency", "is required beside a price: three capital letters as in ISO 4217");
    return std::nullopt;
  }
  const absl::StatusOr<Money> price = parse_money(*text, currency);
  if (price.ok()) return *price;
  reader.refuse(name, message_of(price.status()));
  return std::nullopt;
}

void read_attributes(ObjectReader& reader, ProductCondition& condition) {
  const boost::json::value* attributes = reader.object("attributes");
  if (attributes == nullptr) return;
  for (const boost::json::key_value_pair& attribute : attributes->get_object()) {
    const boost::json::string* const text = attribute.value().if_string();
    if (text == nullptr) return reader.refuse("attributes", "must be an object of texts");
    condition.attributes.emplace(std::string(attribute.key().data(), attribute.key().size()),
                                 std::string(text->data(), text->size()));
  }
}

recommend::ProductExpression read_expression(ObjectReader& reader) {
  const auto text = reader.text("expression", expressions::Limits().bytes_max);
  if (!text) return {};
  auto expression = recommend::ProductExpression::parse(*text);
  if (expression.ok()) return *std::move(expression);
  reader.refuse("expression", message_of(expression.status()));
  return {};
}

ProductCondition condition_of(ObjectReader& reader) {
  ProductCondition condition;
  condition.products = read_texts(reader, "products");
  condition.categories = read_texts(reader, "categories");
  condition.brands = read_texts(reader, "brands");
  condition.not_categories = read_texts(reader, "not_categories");
  condition.not_brands = read_texts(reader, "not_brands");
  condition.currency = reader.text("currency", k_price_bytes_max).value_or("");
  condition.price_min = read_price(reader, "price_min", condition.currency);
  condition.price_max = read_price(reader, "price_max", condition.currency);
  read_attributes(reader, condition);
  condition.expression = read_expression(reader);
  return condition;
}

// What an inner reader found, said by the outer one: the message begins with the inner path.
void pass_on(ObjectReader& reader, std::string_view name, const std::string& path,
             const absl::Status& status) {
  if (status.ok()) return;
  std::string_view message = message_of(status);
  const std::string own = path_of(path, name);
  if (message.starts_with(own)) message.remove_prefix(own.size());
  // The first word goes on with the path: ".brands must ..." or "[2].factor must ...".
  const std::size_t end = std::min(message.find(' '), message.size());
  const std::string inner = fmt::format("{}{}", name, message.substr(0, end));
  reader.refuse(inner, message.substr(std::min(end + 1, message.size())));
}

std::optional<TimeMs> read_time(ObjectReader& reader, std::string_view name) {
  const boost::json::value* const value = reader.any(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  const boost::json::string* const text = value->if_string();
  const auto time =
      text == nullptr ? invalid_argument("a time") : parse_time({text->data(), text->size()});
  if (time.ok()) return *time;
  reader.refuse(name, "must be a time such as 2026-11-21T10:00:00Z, or UTC milliseconds");
  return std::nullopt;
}

RuleKind read_kind(ObjectReader& reader) {
  const std::string_view kind = reader.required_text("kind", k_text_bytes_max);
  if (kind == "pin") return RuleKind::pin;
  if (kind == "bury") return RuleKind::bury;
  if (kind != "boost") reader.refuse("kind", "must be pin, boost or bury");
  return RuleKind::boost;
}

float read_factor(ObjectReader& reader) {
  return static_cast<float>(
      reader.number("factor", std::numeric_limits<float>::min(), Rule::k_factor_max).value_or(1));
}

Rule read_boost(ObjectReader& reader, const std::string& path) {
  Rule rule;
  rule.id = reader.text("id", Rule::k_id_bytes_max).value_or(path);
  rule.when = read_condition(reader, "when", path);
  rule.audience = read_audience(reader, "audience");
  rule.factor = read_factor(reader);
  rule.kind = rule.factor < 1 ? RuleKind::bury : RuleKind::boost;
  return rule;
}

Rule read_rule(ObjectReader& reader, const std::string& path) {
  Rule rule;
  rule.id = reader.required_text("id", Rule::k_id_bytes_max);
  rule.kind = read_kind(reader);
  rule.when = read_condition(reader, "when", path);
  rule.audience = read_audience(reader, "audience");
  rule.position = static_cast<std::size_t>(
      reader.integer("position", 1, static_cast<std::int64_t>(Rule::k_position_max)).value_or(1));
  rule.factor = read_factor(reader);
  rule.valid_from_ms = read_time(reader, "valid_from");
  rule.valid_until_ms = read_time(reader, "valid_until");
  return rule;
}

template <class Read>
std::vector<Rule> read_list(ObjectReader& reader, std::string_view name, const std::string& path,
                            std::size_t rules_max, const Read& read) {
  std::vector<Rule> rules;
  const boost::json::array* const entries = reader.array(name, rules_max);
  if (entries == nullptr) return rules;
  const std::string own = path_of(path, name);
  for (const boost::json::value& entry : *entries) {
    const std::string place = fmt::format("{}[{}]", own, rules.size());
    ObjectReader inner(entry, place);
    rules.push_back(read(inner, place));
    if (const absl::Status status = inner.finish(); !status.ok()) {
      pass_on(reader, name, path, status);
      return {};
    }
  }
  pass_on(reader, name, path, recommend::validate(rules, own, rules_max));
  return rules;
}

void append_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

std::string_view name_of(RuleKind kind) {
  switch (kind) {
    case RuleKind::pin:
      return "pin";
    case RuleKind::boost:
      return "boost";
    case RuleKind::bury:
      return "bury";
  }
  return {};
}

}  // namespace

absl::StatusOr<ProductCondition> condition_from_text(std::string_view text) {
  ProductCondition condition;
  VITRINE_ASSIGN_OR_RETURN(condition.expression, recommend::ProductExpression::parse(text));
  return condition;
}

segments::Audience read_audience(ObjectReader& reader, std::string_view name) {
  const auto text = reader.text(name, expressions::Limits().bytes_max);
  if (!text) return {};
  auto audience = segments::Audience::parse(*text);
  if (audience.ok()) return *std::move(audience);
  reader.refuse(name, message_of(audience.status()));
  return {};
}

ProductCondition read_condition(ObjectReader& reader, std::string_view name,
                                const std::string& path) {
  const boost::json::value* const value = reader.any(name);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const std::string_view text = reader.text(name, expressions::Limits().bytes_max).value_or("");
    absl::StatusOr<ProductCondition> condition = condition_from_text(text);
    if (condition.ok()) return *std::move(condition);
    reader.refuse(name, message_of(condition.status()));
    return {};
  }
  if (!value->is_object()) {
    reader.refuse(name, "must be an expression such as \"price < 50\", or an object");
    return {};
  }
  const std::string own = path_of(path, name);
  ObjectReader inner(*value, own);
  ProductCondition condition = condition_of(inner);
  absl::Status status = inner.finish();
  if (status.ok()) status = recommend::validate(condition, own);
  pass_on(reader, name, path, status);
  return condition;
}

void append_condition(JsonWriter& json, const ProductCondition& condition) {
  const std::string& expression = condition.expression.text();
  if (!expression.empty() && condition == ProductCondition{.expression = condition.expression}) {
    json.value(expression);
    return;
  }
  json.begin_object();
  append_texts(json, "products", condition.products);
  append_texts(json, "categories", condition.categories);
  append_texts(json, "brands", condition.brands);
  append_texts(json, "not_categories", condition.not_categories);
  append_texts(json, "not_brands", condition.not_brands);
  if (!condition.currency.empty()) json.field("currency", condition.currency);
  if (condition.price_min) {
    json.field("price_min", format_money(*condition.price_min, condition.currency));
  }
  if (condition.price_max) {
    json.field("price_max", format_money(*condition.price_max, condition.currency));
  }
  if (!condition.attributes.empty()) {
    json.key("attributes").begin_object();
    for (const auto& [name, value] : condition.attributes) json.field(name, value);
    json.end_object();
  }
  if (!expression.empty()) json.field("expression", expression);
  json.end_object();
}

std::vector<Rule> read_boosts(ObjectReader& reader, std::string_view name,
                              const std::string& path) {
  return read_list(reader, name, path, recommend::k_boosts_max, read_boost);
}

std::vector<Rule> read_rules(ObjectReader& reader, std::string_view name, const std::string& path) {
  return read_list(reader, name, path, recommend::k_rules_max, read_rule);
}

void append_rule(JsonWriter& json, const Rule& rule) {
  json.begin_object().field("id", rule.id).field("kind", name_of(rule.kind)).key("when");
  append_condition(json, rule.when);
  if (!rule.audience.is_empty()) json.field("audience", rule.audience.text());
  if (rule.kind == RuleKind::pin) {
    json.field("position", rule.position);
  } else {
    json.field("factor", rule.factor);
  }
  if (rule.valid_from_ms) json.field("valid_from", format_time(*rule.valid_from_ms));
  if (rule.valid_until_ms) json.field("valid_until", format_time(*rule.valid_until_ms));
  json.end_object();
}

}  // namespace vitrine::http
