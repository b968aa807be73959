// Cuts the text of an expression into tokens.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/expressions/tree.h"

namespace vitrine::expressions {

struct Token {
  enum class Kind : std::uint8_t { number, text, word, sign, end };

  Kind kind = Kind::end;
  std::string text = {};   // a text with its escapes resolved; a word or a sign as written
  double number = 0;       // of a number
  std::size_t column = 1;  // in characters, from 1
};

// The last token is an end. InvalidArgument, with the column: text that is too long, not UTF-8, not
// closed, or has a sign that the language does not know.
absl::StatusOr<std::vector<Token>> tokens_of(std::string_view text, const Limits& limits);

}  // namespace vitrine::expressions
