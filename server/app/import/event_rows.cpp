#include "server/app/import/event_rows.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "base/status.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

enum class Kind { text, number, time, properties };

struct KnownField {
  std::string_view name;    // in the file
  std::string_view target;  // in the API
  Kind kind = Kind::text;
};

constexpr std::array k_fields = {
    KnownField{"event_id", "event_id"},
    KnownField{"time", "time", Kind::time},
    KnownField{"timestamp", "time", Kind::time},
    KnownField{"type", "type"},
    KnownField{"event_type", "type"},
    KnownField{"user_id", "user_id"},
    KnownField{"visitor_id", "visitor_id"},
    KnownField{"session_id", "session_id"},
    KnownField{"order_id", "order_id"},
    KnownField{"product_id", "product_id"},
    KnownField{"item_id", "product_id"},
    KnownField{"quantity", "quantity", Kind::number},
    KnownField{"price", "price"},
    KnownField{"currency", "currency"},
    KnownField{"channel", "channel"},
    KnownField{"market", "market"},
    KnownField{"category", "category"},
    KnownField{"query", "query"},
    KnownField{"coupon_code", "coupon_code"},
    KnownField{"recommendation_id", "recommendation_id"},
    KnownField{"properties", "properties", Kind::properties},
};

const KnownField* known_field(std::string_view name) {
  const auto found = std::ranges::find(k_fields, name, &KnownField::name);
  return found == k_fields.end() ? nullptr : &*found;
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void write_as_it_is(http::JsonWriter& writer, const RowField& field) {
  if (field.is_json) {
    writer.raw(field.text);
  } else {
    writer.value(field.text);
  }
}

absl::Status write_time(http::JsonWriter& writer, const RowField& field, TimeMs shift_ms) {
  const absl::StatusOr<TimeMs> time_ms = parse_time(field.text);
  if (!time_ms.ok()) return invalid_argument("{}: {}", field.name, message_of(time_ms.status()));
  writer.value(*time_ms + shift_ms);
  return absl::OkStatus();
}

// A CSV number is written bare where it is one; anything else as text, so that the server says what
// is wrong with it.
void write_number(http::JsonWriter& writer, const RowField& field) {
  if (const std::optional<std::int64_t> number = integer_in(field.text)) {
    writer.value(*number);
  } else {
    write_as_it_is(writer, field);
  }
}

// The members of a JSON object, without its braces.
absl::StatusOr<std::string> members_of(const RowField& field) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse(field.text, error);
  if (error || !parsed.is_object()) return invalid_argument("properties must be a JSON object");
  const std::string text = boost::json::serialize(parsed);
  return text.substr(1, text.size() - 2);
}

// The columns nobody knows, together with the properties the row brought.
absl::Status write_properties(http::JsonWriter& writer, const Row& row) {
  writer.key("properties").begin_object();
  for (const RowField& field : row.fields) {
    const KnownField* known = known_field(field.name);
    if (known == nullptr) {
      writer.key(field.name);
      write_as_it_is(writer, field);
    } else if (known->kind == Kind::properties) {
      VITRINE_ASSIGN_OR_RETURN(const std::string members, members_of(field));
      if (!members.empty()) writer.raw(members);
    }
  }
  writer.end_object();
  return absl::OkStatus();
}

std::string_view currency_for(const Row& row, const EventRowOptions& options) {
  if (row.text("price").empty() || !row.text("currency").empty()) return {};
  if (!options.currency.empty()) return options.currency;
  if (!options.currency_of) return {};
  const std::string_view ours = row.text("product_id");
  return options.currency_of(ours.empty() ? row.text("item_id") : ours);
}

}  // namespace

absl::StatusOr<std::optional<TimeMs>> event_time(const Row& row) {
  for (const std::string_view name : {"time", "timestamp"}) {
    if (const std::string_view text = row.text(name); !text.empty()) {
      VITRINE_ASSIGN_OR_RETURN(const TimeMs time_ms, parse_time(text));
      return time_ms;
    }
  }
  return std::nullopt;
}

absl::Status append_event(const Row& row, const EventRowOptions& options, std::string& json) {
  http::JsonWriter writer(json);
  writer.begin_object();
  bool has_properties = false;
  for (const RowField& field : row.fields) {
    const KnownField* known = known_field(field.name);
    if (known == nullptr || known->kind == Kind::properties) {
      has_properties = true;
      continue;
    }
    writer.key(known->target);
    if (known->kind == Kind::time) {
      VITRINE_RETURN_IF_ERROR(write_time(writer, field, options.shift_ms));
    } else if (known->kind == Kind::number) {
      write_number(writer, field);
    } else {
      write_as_it_is(writer, field);
    }
  }
  if (const std::string_view currency = currency_for(row, options); !currency.empty()) {
    writer.field("currency", currency);
  }
  if (has_properties) VITRINE_RETURN_IF_ERROR(write_properties(writer, row));
  writer.end_object();
  return absl::OkStatus();
}

}  // namespace vitrine::app
