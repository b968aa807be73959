// Reads a field that is one word of few.
//
// Pure functions; thread-safe.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/http/json_reader.h"

namespace vitrine::http {

// Nothing when it is absent; another word is refused on the reader with those there are. name_of()
// is found where the type is.
template <class Word, std::size_t n>
std::optional<Word> read_word(ObjectReader& reader, std::string_view field,
                              const Word (&words)[n]) {
  constexpr std::size_t k_word_bytes_max = 100;
  const auto text = reader.text(field, k_word_bytes_max);
  if (!text) return std::nullopt;
  std::string names;
  for (const Word word : words) {
    if (name_of(word) == *text) return word;
    names.append(names.empty() ? "" : ", ").append(name_of(word));
  }
  reader.refuse(field, fmt::format("must be one of {}, got '{}'", names, *text));
  return std::nullopt;
}

}  // namespace vitrine::http
