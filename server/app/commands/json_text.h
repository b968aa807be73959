// Reads single values out of the answers of the API.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace vitrine::app {

// Internal when an answer is not JSON: then it is not our server that speaks.
absl::StatusOr<boost::json::value> parsed_answer(std::string_view answer);

// The value at a JSON pointer as text; lists are joined with ", ". Empty when absent or null.
std::string text_at(const boost::json::value& value, std::string_view pointer);

// The number at a JSON pointer, 0 when absent; in groups of thousands, and with two decimals.
double double_at(const boost::json::value& value, std::string_view pointer);
std::string count_at(const boost::json::value& value, std::string_view pointer);
std::string amount_at(const boost::json::value& value, std::string_view pointer);

// Empty when absent.
const boost::json::array& array_at(const boost::json::value& value, std::string_view pointer);

}  // namespace vitrine::app
