#include "server/collect/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine::collect {
namespace {

namespace json = boost::json;

constexpr std::size_t k_shown_bytes = 64;

absl::StatusOr<Money> money_in(const json::value& value, std::string_view currency) {
  const std::optional<std::string> text = text_in(value);
  if (!text) return invalid_argument("it must be a decimal like \"19.90\"");
  VITRINE_ASSIGN_OR_RETURN(const Money amount, parse_money(*text, currency));
  if (amount < Money{}) return invalid_argument("it must not be negative, got {}", *text);
  return amount;
}

}  // namespace

std::optional<std::string> text_in(const json::value& value) {
  if (value.is_string()) {
    if (value.get_string().empty()) return std::nullopt;
    return std::string(view(value.get_string()));
  }
  // The shortest text of a number is the one that was written.
  if (value.is_double()) return fmt::format("{}", value.get_double());
  if (value.is_number()) return json::serialize(value);
  return std::nullopt;
}

EventRefusal wrong_type(std::string_view field, std::string_view expected,
                        const json::value& value) {
  const std::string shown =
      value.is_number() ? text_in(value).value_or("") : json::serialize(value);
  return {"wrong_type", std::string(field),
          fmt::format("{} must be {}, got {}", field, expected, shown.substr(0, k_shown_bytes))};
}

JsonFields::Found JsonFields::find(Names names) const {
  if (object_ == nullptr) return {};
  for (const std::string_view name : names) {
    const json::value* const value = object_->if_contains({name.data(), name.size()});
    if (value != nullptr && !value->is_null()) return {name, value};
  }
  return {};
}

void JsonFields::refuse(EventRefusal refusal) {
  if (!refusal_) refusal_ = std::move(refusal);
}

const json::value* JsonFields::any(Names names) {
  const Found found = find(names);
  if (found.value != nullptr) use(found.name);
  return found.value;
}

std::string JsonFields::text(Names names) {
  const Found found = find(names);
  if (found.value == nullptr) return {};
  use(found.name);
  const std::optional<std::string> text = text_in(*found.value);
  if (!text && !found.value->is_string()) refuse(wrong_type(found.name, "a text", *found.value));
  return text.value_or("");
}

const json::array* JsonFields::list(Names names) {
  const Found found = find(names);
  if (found.value == nullptr || !found.value->is_array()) return nullptr;
  use(found.name);
  return &found.value->get_array();
}

std::int64_t JsonFields::whole(Names names, std::int64_t otherwise) {
  const Found found = find(names);
  if (found.value == nullptr) return otherwise;
  use(found.name);
  // Larger ones are refused with the quantity's own limit.
  constexpr double k_exact_max = 9.0e15;
  const std::string text = text_in(*found.value).value_or("");
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || std::abs(number) > k_exact_max ||
      number != std::floor(number)) {
    refuse(wrong_type(found.name, "an integer", *found.value));
    return otherwise;
  }
  return static_cast<std::int64_t>(number);
}

std::optional<Money> JsonFields::money(Names names, std::string_view currency) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  use(found.name);
  const absl::StatusOr<Money> amount = money_in(*found.value, currency);
  if (amount.ok()) return *amount;
  refuse({"invalid_" + std::string(found.name), std::string(found.name),
          fmt::format("{}: {}", found.name, message_of(amount.status()))});
  return std::nullopt;
}

std::optional<Money> JsonFields::readable_money(Names names, std::string_view currency) {
  const Found found = find(names);
  if (found.value == nullptr) return std::nullopt;
  const absl::StatusOr<Money> amount = money_in(*found.value, currency);
  if (!amount.ok()) return std::nullopt;
  use(found.name);
  return *amount;
}

std::optional<std::string> JsonFields::peek(Names names) const {
  const Found found = find(names);
  return found.value == nullptr ? std::nullopt : text_in(*found.value);
}

json::object JsonFields::rest() const {
  json::object left;
  if (object_ == nullptr) return left;
  for (const auto& [name, value] : *object_) {
    if (!value.is_null() && std::ranges::find(used_, view(name)) == used_.end()) {
      left.emplace(name, value);
    }
  }
  return left;
}

}  // namespace vitrine::collect
