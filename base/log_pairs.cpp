#include "base/log_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vitrine {
namespace {

constexpr std::size_t k_digits_max = 15;  // so many are exact in a double, as readers have it

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.size() > k_digits_max || (text.size() > 1 && text[0] == '0')) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// How many bytes the character at the front has; 0 when it is no UTF-8. Overlong forms and
// surrogates are left to the reader.
std::size_t character_size(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xC2 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
  if (size == 0 || size > text.size()) return 0;
  const auto is_rest = [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) == 0x80; };
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(size), is_rest)
             ? size
             : 0;
}

void append_text(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const char c = text[0];
    if (size == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (size == 1 && static_cast<std::uint8_t>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  out += '"';
}

void append_member(std::string_view key, std::string_view value, bool is_text, std::string& out) {
  if (!out.empty()) out += ',';
  append_text(key, out);
  out += ':';
  if (!is_text && is_number(value)) {
    out += value;
  } else {
    append_text(value, out);
  }
}

// A quoted value ends at the last quote that a space or the end follows: values are not escaped.
std::string_view take_quoted(std::string_view& rest) {
  std::size_t end = rest.find('"', 1);
  while (end != std::string_view::npos && end + 1 < rest.size() && rest[end + 1] != ' ') {
    end = rest.find('"', end + 1);
  }
  if (end == std::string_view::npos) end = rest.size();
  const std::string_view value = rest.substr(1, end - 1);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

}  // namespace

std::string json_members(std::string_view line) {
  std::string members;
  std::string message;
  std::string_view rest = line;
  while (!rest.empty()) {
    if (rest[0] == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    const auto key_end = std::find_if_not(rest.begin(), rest.end(), is_word);
    const auto key_size = static_cast<std::size_t>(key_end - rest.begin());
    if (key_size > 0 && key_size < rest.size() && rest[key_size] == '=') {
      const std::string_view key = rest.substr(0, key_size);
      rest.remove_prefix(key_size + 1);
      const bool is_quoted = rest.starts_with('"');
      const std::string_view value = is_quoted ? take_quoted(rest) : rest.substr(0, rest.find(' '));
      if (!is_quoted) rest.remove_prefix(value.size());
      append_member(key, value, is_quoted, members);
    } else {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (!message.empty()) message += ' ';
      message += word;
      rest.remove_prefix(word.size());
    }
  }
  if (!message.empty() || members.empty()) append_member("message", message, true, members);
  return members;
}

}  // namespace vitrine
