// The native batch: {"events": [...]}, as docs/api.md describes it.
#include <boost/json.hpp>

#include <array>

#include "base/status.h"
#include "server/collect/collector.h"
#include "server/collect/raw_events.h"

namespace vitrine::collect {
namespace {

namespace json = boost::json;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

std::string shown(const json::value& value) { return json::serialize(value).substr(0, 64); }

EventRefusal wrong_type(std::string_view field, std::string_view expected,
                        const json::value& value) {
  return {"wrong_type", std::string(field),
          fmt::format("{} must be {}, got {}", field, expected, shown(value))};
}

struct TextField {
  std::string_view name;
  std::string Event::* member;
};

constexpr std::array k_text_fields = {
    TextField{"event_id", &Event::event_id},
    TextField{"user_id", &Event::user_id},
    TextField{"visitor_id", &Event::visitor_id},
    TextField{"session_id", &Event::session_id},
    TextField{"order_id", &Event::order_id},
    TextField{"product_id", &Event::product_id},
    TextField{"category", &Event::category},
    TextField{"currency", &Event::currency},
    TextField{"coupon_code", &Event::coupon_code},
    TextField{"recommendation_id", &Event::recommendation_id},
    TextField{"channel", &Event::channel},
    TextField{"market", &Event::market},
    TextField{"query", &Event::query},
};

// Longer ones are no tokens of ours, cut or whole.
constexpr std::size_t k_user_token_bytes_kept = 256;

using Refusal = std::optional<EventRefusal>;

Refusal read_type(const json::value& value, Event& event) {
  if (!value.is_string()) return wrong_type("type", "a string", value);
  const auto type = event_type_of(view(value.get_string()));
  if (!type) {
    std::string names;
    for (const EventType each : all_event_types()) {
      names.append(names.empty() ? "" : ", ").append(name_of(each));
    }
    return EventRefusal{"unknown_type", "type",
                        fmt::format("type must be one of {}, got {}", names, shown(value))};
  }
  event.type = *type;
  return std::nullopt;
}

Refusal read_time(const json::value& value, Event& event) {
  if (value.is_int64()) {
    // The same limits for numbers as for text.
    const auto time_ms = parse_time(std::to_string(value.get_int64()));
    if (!time_ms.ok())
      return EventRefusal{"invalid_time", "time", std::string(message_of(time_ms.status()))};
    event.time_ms = *time_ms;
    return std::nullopt;
  }
  if (!value.is_string()) return wrong_type("time", "RFC 3339 text or UTC milliseconds", value);
  const auto time_ms = parse_time(view(value.get_string()));
  if (!time_ms.ok())
    return EventRefusal{"invalid_time", "time", std::string(message_of(time_ms.status()))};
  event.time_ms = *time_ms;
  return std::nullopt;
}

Refusal read_quantity(const json::value& value, Event& event) {
  json::error_code inexact;
  event.quantity = value.to_number<std::int64_t>(inexact);
  if (inexact) return wrong_type("quantity", "an integer", value);
  return std::nullopt;
}

// After the currency, which says how many decimals count.
Refusal read_price(const json::value& value, Event& event) {
  if (!value.is_string() && !value.is_number()) {
    return wrong_type("price", "a decimal like \"19.90\"", value);
  }
  // The shortest text of a number is the decimal that was written.
  const std::string number = value.is_double()   ? fmt::format("{}", value.get_double())
                             : value.is_number() ? json::serialize(value)
                                                 : std::string();
  const auto price =
      parse_money(value.is_string() ? view(value.get_string()) : number, event.currency);
  if (!price.ok()) {
    return EventRefusal{"invalid_price", "price",
                        fmt::format("price: {}", message_of(price.status()))};
  }
  event.price = *price;
  return std::nullopt;
}

Refusal unknown_field(std::string_view name) {
  return EventRefusal{
      "unknown_field", std::string(name.substr(0, 64)),
      fmt::format("an event has no field '{}': put what is your own into properties",
                  name.substr(0, 64))};
}

// Everything but type and price, which need looking at first and last.
Refusal read_field(std::string_view name, const json::value& value, Event& event) {
  for (const TextField& field : k_text_fields) {
    if (field.name != name) continue;
    if (!value.is_string()) return wrong_type(name, "a string", value);
    event.*field.member = view(value.get_string());
    return std::nullopt;
  }
  if (name == "time") return read_time(value, event);
  if (name == "quantity") return read_quantity(value, event);
  if (name == "properties") {
    if (!value.is_object()) return wrong_type(name, "an object", value);
    if (!value.get_object().empty()) event.properties_json = json::serialize(value);
    return std::nullopt;
  }
  return name == "type" || name == "price" ? std::nullopt : unknown_field(name);
}

Refusal read_event(const json::value& value, Event& event) {
  if (!value.is_object()) {
    return EventRefusal{"wrong_type", "events",
                        fmt::format("an event must be an object, got {}", shown(value))};
  }
  const json::object& object = value.get_object();
  const json::value* const type = object.if_contains("type");
  if (type == nullptr || type->is_null()) {
    return EventRefusal{"missing_type", "type", "type is required"};
  }
  if (Refusal refusal = read_type(*type, event)) return refusal;
  for (const auto& [name, content] : object) {
    if (content.is_null()) continue;
    if (Refusal refusal = read_field(view(name), content, event)) return refusal;
  }
  const json::value* const price = object.if_contains("price");
  if (price != nullptr && !price->is_null()) return read_price(*price, event);
  return std::nullopt;
}

absl::Status not_a_batch(std::string_view why) {
  return invalid_argument("the body must be {{\"events\": [...]}}: {}", why);
}

}  // namespace

absl::StatusOr<std::vector<IncomingEvent>> parse_native_batch(std::string_view body,
                                                              TimeMs now_ms) {
  json::parse_options options;
  options.max_depth = 32;
  options.allow_invalid_utf8 = true;  // the event with it is refused, not its neighbours
  // Freed as a whole, never piece by piece.
  json::monotonic_resource memory(body.size() * 4 + 1024);
  json::error_code error;
  const json::value document = json::parse({body.data(), body.size()}, error, &memory, options);
  if (error) return not_a_batch(error.message());
  if (!document.is_object()) return not_a_batch("not an object");
  const json::object& object = document.get_object();
  const json::value* const list = object.if_contains("events");
  if (list == nullptr || !list->is_array()) return not_a_batch("events must be a list");
  std::string_view user_token;
  for (const auto& [name, content] : object) {
    if (name == "user_token") {
      if (!content.is_string()) return not_a_batch("user_token must be a string");
      user_token = view(content.get_string());
    } else if (name != "events") {
      return not_a_batch(fmt::format("unknown field '{}'", view(name).substr(0, 64)));
    }
  }

  const std::vector<std::string_view> raw = raw_events(body, "events");
  const json::array& values = list->get_array();
  if (raw.size() != values.size()) return not_a_batch("events is there more than once");
  std::vector<IncomingEvent> batch(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    batch[i].raw = raw[i];
    batch[i].event.time_ms = now_ms;
    batch[i].event.received_ms = now_ms;
    batch[i].user_token = user_token.substr(0, k_user_token_bytes_kept);
    batch[i].refusal = read_event(values[i], batch[i].event);
  }
  return batch;
}

}  // namespace vitrine::collect
