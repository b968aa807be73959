#include "server/app/commands/json_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/status.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

std::string text_of(const boost::json::value& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return std::string(value.get_string());
  if (!value.is_array()) return boost::json::serialize(value);
  std::string joined;
  for (const boost::json::value& part : value.get_array()) {
    if (!joined.empty()) joined += ", ";
    joined += text_of(part);
  }
  return joined;
}

const boost::json::value* find(const boost::json::value& value, std::string_view pointer) {
  boost::json::error_code absent;
  return value.find_pointer({pointer.data(), pointer.size()}, absent);
}

}  // namespace

absl::StatusOr<boost::json::value> parsed_answer(std::string_view answer) {
  boost::json::error_code error;
  boost::json::value parsed = boost::json::parse({answer.data(), answer.size()}, error);
  if (error) return internal_error("the answer is not JSON: {}", error.message());
  return parsed;
}

std::string text_at(const boost::json::value& value, std::string_view pointer) {
  const boost::json::value* found = find(value, pointer);
  return found == nullptr ? std::string() : text_of(*found);
}

double double_at(const boost::json::value& value, std::string_view pointer) {
  const boost::json::value* found = find(value, pointer);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

std::string count_at(const boost::json::value& value, std::string_view pointer) {
  return grouped(static_cast<std::uint64_t>(double_at(value, pointer)));
}

std::string amount_at(const boost::json::value& value, std::string_view pointer) {
  return fmt::format("{:.2f}", double_at(value, pointer));
}

const boost::json::array& array_at(const boost::json::value& value, std::string_view pointer) {
  static const boost::json::array k_empty;
  const boost::json::value* found = find(value, pointer);
  return found == nullptr || !found->is_array() ? k_empty : found->get_array();
}

}  // namespace vitrine::app
