#include "server/app/terminal/style.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace vitrine::app {
namespace {

struct Symbol {
  char32_t code;
  std::size_t bytes;
};

// The first character of a text that is not empty; a byte that begins none stands for itself.
Symbol first_symbol(std::string_view text) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte_at(0);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || text.size() < length) return {lead, 1};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (byte_at(i) & 0x3FU);
  return {code, length};
}

// The ranges of Unicode's EastAsianWidth.txt that hold text; rare scripts count as one column.
std::size_t width_of(char32_t code) {
  if (code < 0x20 || (code >= 0x300 && code <= 0x36F) || code == 0x200B || code == 0xFEFF) return 0;
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
                    (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::bold:
      return "\x1b[1m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::cyan:
      return "\x1b[36m";
  }
  return "";
}

// Read once, before threads are started: the environment does not change while we run.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool is_terminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

bool has_colours(std::FILE* stream) {
  return is_terminal(stream) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

std::string styled(std::string_view text, Colour colour, bool enabled) {
  return enabled ? fmt::format("{}{}\x1b[0m", escape_of(colour), text) : std::string(text);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Symbol symbol = first_symbol(text);
    width += width_of(symbol.code);
    text.remove_prefix(symbol.bytes);
  }
  return width;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string cut;
  std::size_t width = 0;
  while (!text.empty()) {
    const Symbol symbol = first_symbol(text);
    if (width + width_of(symbol.code) + 1 > columns) break;
    width += width_of(symbol.code);
    cut += text.substr(0, symbol.bytes);
    text.remove_prefix(symbol.bytes);
  }
  return cut + "…";
}

std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> k_units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < k_units.size(); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, k_units[unit]);
}

std::string duration_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace vitrine::app
