#include "server/http/offer_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <utility>

#include "base/status.h"
#include "server/expressions/tree.h"
#include "server/http/campaign_json.h"
#include "server/http/json_reader.h"
#include "server/http/response.h"
#include "server/http/word_reader.h"

namespace vitrine::http {
namespace {

using coupons::Amounts;
using coupons::CartLine;
using coupons::Conditions;
using coupons::Coverage;
using coupons::Effect;
using coupons::Kind;
using coupons::Offer;
using coupons::SetPart;
using coupons::Tier;

constexpr std::size_t k_word_bytes_max = 100;
constexpr std::size_t k_product_bytes_max = 256;
constexpr std::int64_t k_priority_max = 100'000;
constexpr std::int64_t k_points_max = 1'000'000'000;
constexpr double k_multiplier_max = 1000;

enum class Target : std::uint8_t { order, line };
constexpr Target k_targets[] = {Target::order, Target::line};
std::string_view name_of(Target target) { return target == Target::line ? "line" : "order"; }

enum class Guarantee : std::uint8_t { first_come, honoured };
constexpr Guarantee k_guarantees[] = {Guarantee::first_come, Guarantee::honoured};
std::string_view name_of(Guarantee one) {
  return one == Guarantee::honoured ? "honoured" : "first_come";
}

// Hundredths of the number, which may have two decimals.
std::int64_t read_hundredths(ObjectReader& reader, std::string_view name, double high) {
  const double number = reader.number(name, 0, high).value_or(0);
  const double hundredths = std::round(number * 100);
  if (std::abs(hundredths - number * 100) > 1e-6) {
    reader.refuse(name, fmt::format("may have two decimals, got {}", number));
  }
  return static_cast<std::int64_t>(hundredths);
}

// 20 % off, or 80 % to pay (8折).
std::int64_t read_share_off(ObjectReader& reader) {
  const bool has_off = reader.has("percent_off");
  const bool has_rate = reader.has("pay_rate");
  const std::int64_t off = read_hundredths(reader, "percent_off", 100);
  const std::int64_t rate = read_hundredths(reader, "pay_rate", 100);
  if (has_off && has_rate) reader.refuse("pay_rate", "must not be given beside percent_off");
  return has_rate ? Effect::k_whole - rate : off;
}

absl::Status read_set(ObjectReader& reader, std::vector<SetPart>& set) {
  const boost::json::array* const parts = reader.array("set", Offer::k_set_max);
  if (parts == nullptr) return absl::OkStatus();
  for (const boost::json::value& part : *parts) {
    ObjectReader inner(part, fmt::format("effect.set[{}]", set.size()));
    SetPart one;
    one.product_id = inner.required_text("product_id", k_product_bytes_max);
    one.quantity = inner.integer("quantity", 1, CartLine::k_quantity_max).value_or(1);
    VITRINE_RETURN_IF_ERROR(inner.finish());
    set.push_back(std::move(one));
  }
  return absl::OkStatus();
}

absl::Status read_effect(const boost::json::value* value, Effect& effect) {
  if (value == nullptr) return field_error("effect", "effect is needed");
  ObjectReader reader(*value, "effect");
  if (!reader.has("kind")) reader.refuse("kind", "is needed");
  effect.kind = read_word(reader, "kind", coupons::k_kinds).value_or(effect.kind);
  effect.repeats = reader.boolean("repeat").value_or(false);
  effect.off_basis_points = read_share_off(reader);
  effect.by_line =
      read_word(reader, "applies_to", k_targets).value_or(Target::order) == Target::line;
  effect.gift_product_id = reader.text("product_id", k_product_bytes_max).value_or("");
  effect.gift_quantity = reader.integer("quantity", 1, CartLine::k_quantity_max).value_or(1);
  VITRINE_RETURN_IF_ERROR(read_set(reader, effect.set));
  effect.nth = reader.integer("nth", 2, CartLine::k_quantity_max).value_or(2);
  effect.multiplier_hundredths = read_hundredths(reader, "multiplier", k_multiplier_max);
  effect.bonus_points = reader.integer("bonus", 0, k_points_max).value_or(0);
  effect.points_days = reader.integer("points_days", 0, Offer::k_days_max).value_or(0);
  effect.max_quantity = reader.integer("max_quantity", 1, CartLine::k_quantity_max);
  return reader.finish();
}

absl::StatusOr<Amounts> read_amounts(const boost::json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  Amounts amounts;
  amounts.currency = reader.required_text("currency", k_word_bytes_max);
  if (!is_currency(amounts.currency)) {
    reader.refuse("currency",
                  fmt::format("must be three capital letters as EUR, got '{}'", amounts.currency));
  }
  amounts.min_subtotal = read_amount(reader, "min_subtotal", amounts.currency).value_or(Money{});
  amounts.max_discount = read_amount(reader, "max_discount", amounts.currency);
  amounts.price = read_amount(reader, "price", amounts.currency).value_or(Money{});
  if (const boost::json::array* const tiers = reader.array("tiers", Offer::k_tiers_max)) {
    for (const boost::json::value& tier : *tiers) {
      ObjectReader inner(tier, fmt::format("{}.tiers[{}]", path, amounts.tiers.size()));
      const auto threshold = read_amount(inner, "threshold", amounts.currency);
      const auto off = read_amount(inner, "off", amounts.currency);
      VITRINE_RETURN_IF_ERROR(inner.finish());
      amounts.tiers.push_back({threshold.value_or(Money{}), off.value_or(Money{})});
    }
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return amounts;
}

absl::Status read_markets(const boost::json::value* value, Offer& offer) {
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_object()) return field_error("amounts", "amounts must be an object");
  for (const auto& market : value->get_object()) {
    const std::string name(market.key().data(), market.key().size());
    VITRINE_ASSIGN_OR_RETURN(Amounts amounts, read_amounts(market.value(), "amounts." + name));
    offer.amounts[name] = std::move(amounts);
  }
  return absl::OkStatus();
}

absl::Status read_conditions(const boost::json::value* value, Conditions& conditions) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "conditions");
  conditions.min_quantity = reader.integer("min_quantity", 0, CartLine::k_quantity_max).value_or(0);
  const std::string_view products =
      reader.text("products", expressions::Limits().bytes_max).value_or("");
  if (!products.empty()) {
    auto parsed = recommend::ProductExpression::parse(products);
    if (parsed.ok()) {
      conditions.products = *std::move(parsed);
    } else {
      reader.refuse("products", message_of(parsed.status()));
    }
  }
  std::vector<std::string> ids;
  for (const std::string_view id :
       reader.texts("product_ids", Coverage::k_ids_max, Coverage::k_id_bytes_max)) {
    ids.emplace_back(id);
  }
  conditions.products.only(std::move(ids));
  conditions.first_order = reader.boolean("first_order").value_or(false);
  conditions.new_customer_days =
      reader.integer("new_customer_days", 0, Offer::k_days_max).value_or(0);
  conditions.levels = read_words(reader, "levels");
  conditions.channels = read_words(reader, "channels");
  conditions.from_hour = static_cast<int>(reader.integer("from_hour", 0, 23).value_or(0));
  conditions.until_hour = static_cast<int>(reader.integer("until_hour", 0, 24).value_or(24));
  return reader.finish();
}

absl::Status read_validity(const boost::json::value* value, Offer& offer) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "validity");
  offer.start_ms = read_moment(reader, "start");
  offer.end_ms = read_moment(reader, "end");
  offer.days_after_grant = reader.integer("days_after_grant", 0, Offer::k_days_max).value_or(0);
  return reader.finish();
}

absl::Status read_stacking(const boost::json::value* value, coupons::Stacking& stacking) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader reader(*value, "stacking");
  stacking.offer_class = reader.text("class", k_word_bytes_max).value_or(stacking.offer_class);
  stacking.is_exclusive = reader.boolean("exclusive").value_or(false);
  stacking.with = read_words(reader, "with");
  return reader.finish();
}

void read_head(ObjectReader& reader, std::string_view id, Offer& offer) {
  if (reader.text("offer", k_word_bytes_max).value_or(id) != id) {
    reader.refuse("offer", fmt::format("must be the path's, '{}'", id));
  }
  if (!coupons::is_coupon_id(id)) {
    reader.refuse("offer", fmt::format("must be 1 to {} letters, digits, '.', '_' or '-', got '{}'",
                                       coupons::Campaign::k_id_bytes_max, id));
  }
  offer.campaign = reader.required_text("campaign", coupons::Campaign::k_id_bytes_max);
  offer.name = reader.text("name", coupons::Campaign::k_text_bytes_max).value_or("");
  offer.trigger =
      read_word(reader, "trigger", coupons::k_triggers).value_or(coupons::Trigger::code);
  offer.code = reader.text("code", Offer::k_code_bytes_max).value_or("");
  offer.is_honoured =
      read_word(reader, "guarantee", k_guarantees).value_or(Guarantee::first_come) ==
      Guarantee::honoured;
  offer.is_paused = reader.boolean("paused").value_or(false);
  offer.priority = reader.integer("priority", -k_priority_max, k_priority_max).value_or(0);
  offer.uses_per_grant = reader.integer("uses_per_grant", 1, 1000).value_or(1);
  offer.on_return = read_word(reader, "on_return", coupons::k_return_policies)
                        .value_or(coupons::ReturnPolicy::proportional);
  offer.restores_grant = reader.boolean("restores_grant").value_or(true);
}

void append_conditions(JsonWriter& json, const Conditions& conditions) {
  json.key("conditions").begin_object().field("min_quantity", conditions.min_quantity);
  json.field("products", conditions.products.text()).key("product_ids").begin_array();
  for (const std::string& id : conditions.products.ids()) json.value(id);
  json.end_array().field("first_order", conditions.first_order);
  json.field("new_customer_days", conditions.new_customer_days);
  append_words(json, "levels", conditions.levels);
  append_words(json, "channels", conditions.channels);
  json.field("from_hour", conditions.from_hour).field("until_hour", conditions.until_hour);
  json.end_object();
}

void append_effect(JsonWriter& json, const Effect& effect) {
  json.key("effect").begin_object().field("kind", name_of(effect.kind));
  json.field("repeat", effect.repeats);
  json.field("percent_off", static_cast<double>(effect.off_basis_points) / 100);
  json.field("applies_to", effect.by_line ? "line" : "order");
  json.field("product_id", effect.gift_product_id).field("quantity", effect.gift_quantity);
  json.key("set").begin_array();
  for (const SetPart& part : effect.set) {
    json.begin_object().field("product_id", part.product_id).field("quantity", part.quantity);
    json.end_object();
  }
  json.end_array().field("nth", effect.nth);
  json.field("multiplier", static_cast<double>(effect.multiplier_hundredths) / 100);
  json.field("points_days", effect.points_days);
  json.field("bonus", effect.bonus_points).field("max_quantity", effect.max_quantity).end_object();
}

void append_amounts(JsonWriter& json, const Amounts& amounts) {
  const auto money = [&](Money amount) { return format_money(amount, amounts.currency); };
  json.begin_object().field("currency", amounts.currency);
  json.field("min_subtotal", money(amounts.min_subtotal)).key("max_discount");
  amounts.max_discount ? json.value(money(*amounts.max_discount)) : json.null();
  json.field("price", money(amounts.price)).key("tiers").begin_array();
  for (const Tier& tier : amounts.tiers) {
    json.begin_object().field("threshold", money(tier.threshold)).field("off", money(tier.off));
    json.end_object();
  }
  json.end_array().end_object();
}

void append_moment(JsonWriter& json, std::string_view name, std::optional<TimeMs> time_ms) {
  json.key(name);
  time_ms ? json.value(format_time(*time_ms)) : json.null();
}

}  // namespace

absl::StatusOr<Offer> offer_from_json(std::string_view text, std::string_view id,
                                      std::size_t max_depth) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(text, max_depth));
  ObjectReader reader(document.root(), "");
  Offer offer{.id = std::string(id)};
  read_head(reader, id, offer);
  VITRINE_RETURN_IF_ERROR(read_conditions(reader.object("conditions"), offer.conditions));
  VITRINE_RETURN_IF_ERROR(read_effect(reader.object("effect"), offer.effect));
  VITRINE_RETURN_IF_ERROR(read_markets(reader.object("amounts"), offer));
  VITRINE_RETURN_IF_ERROR(read_validity(reader.object("validity"), offer));
  VITRINE_RETURN_IF_ERROR(read_stacking(reader.object("stacking"), offer.stacking));
  VITRINE_ASSIGN_OR_RETURN(offer.limits, read_limits(reader, "limits", "limits"));
  offer.version = static_cast<std::uint64_t>(
      reader.integer("version", 0, std::numeric_limits<std::int64_t>::max()).value_or(0));
  offer.changed_ms = read_moment(reader, "changed_at").value_or(0);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(with_its_own_field(validate(offer)));
  return offer;
}

void append_offer(JsonWriter& json, const Offer& offer) {
  json.begin_object().field("offer", offer.id).field("campaign", offer.campaign);
  json.field("name", offer.name).field("trigger", name_of(offer.trigger));
  json.field("code", offer.code);
  json.field("guarantee", offer.is_honoured ? "honoured" : "first_come");
  json.field("paused", offer.is_paused);
  append_conditions(json, offer.conditions);
  append_effect(json, offer.effect);
  json.key("amounts").begin_object();
  for (const auto& [market, amounts] : offer.amounts) {
    json.key(market);
    append_amounts(json, amounts);
  }
  json.end_object().key("validity").begin_object();
  append_moment(json, "start", offer.start_ms);
  append_moment(json, "end", offer.end_ms);
  json.field("days_after_grant", offer.days_after_grant).end_object();
  json.key("stacking").begin_object().field("class", offer.stacking.offer_class);
  json.field("exclusive", offer.stacking.is_exclusive);
  append_words(json, "with", offer.stacking.with);
  json.end_object().field("priority", offer.priority).field("uses_per_grant", offer.uses_per_grant);
  json.field("on_return", name_of(offer.on_return)).field("restores_grant", offer.restores_grant);
  append_limits(json, "limits", offer.limits);
  json.field("version", offer.version);
  append_moment(json, "changed_at",
                offer.changed_ms == 0 ? std::nullopt : std::optional(offer.changed_ms));
  json.end_object();
}

}  // namespace vitrine::http
