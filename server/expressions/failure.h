// What is wrong with an expression, and where: "column 7: expected a value after '<'".
//
// Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace vitrine::expressions {

constexpr std::size_t k_quoted_bytes_max = 64;  // of the expression, in a message

// What a message repeats of the expression: its beginning, cut between two characters.
inline std::string_view quoted(std::string_view text) {
  if (text.size() <= k_quoted_bytes_max) return text;
  std::size_t end = k_quoted_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

template <class... Args>
absl::Status wrong_at(std::size_t column, fmt::format_string<Args...> format, Args&&... args) {
  return invalid_argument("column {}: {}", column,
                          fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vitrine::expressions
