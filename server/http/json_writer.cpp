#include "server/http/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace vitrine::http {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";  // U+FFFD

// True for bytes that go out as they are: ASCII without controls, quote and backslash.
constexpr std::array<bool, 256> k_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x80; ++i) plain[i] = i != '"' && i != '\\';
  return plain;
}();

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool is_continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (byte_at(text, i) & 0xC0) == 0x80;
}

// Length of the well-formed UTF-8 sequence that starts at `i`; 0 when there is none (RFC 3629: no
// surrogates, no overlong forms, nothing past U+10FFFF).
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const unsigned char first = byte_at(text, i);
  if (first >= 0xC2 && first <= 0xDF) return is_continuation(text, i + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!is_continuation(text, i + 1) || !is_continuation(text, i + 2)) return 0;
    const unsigned char second = byte_at(text, i + 1);
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!is_continuation(text, i + 1) || !is_continuation(text, i + 2) ||
        !is_continuation(text, i + 3)) {
      return 0;
    }
    const unsigned char second = byte_at(text, i + 1);
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void append_control(std::string& out, unsigned char control) {
  constexpr char k_digits[] = "0123456789abcdef";
  switch (control) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += k_digits[control >> 4];
      out += k_digits[control & 15];
  }
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t end = i;
    while (end < text.size() && k_plain[byte_at(text, end)]) ++end;
    out.append(text, i, end - i);
    i = end;
    if (i == text.size()) break;
    const unsigned char byte = byte_at(text, i);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i++];
    } else if (byte < 0x20) {
      append_control(out, byte);
      ++i;
    } else if (const std::size_t length = sequence_length(text, i); length > 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += k_replacement;
      ++i;
    }
  }
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_text(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_text(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(float number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::signed_value(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_value(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace vitrine::http
