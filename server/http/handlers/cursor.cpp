#include "server/http/handlers/cursor.h"

#include <fmt/format.h>

#include <charconv>

namespace vitrine::http {

std::string write_cursor(std::string_view list, std::uint64_t position) {
  return fmt::format("{}-{:x}", list, position);
}

std::optional<std::uint64_t> read_cursor(QueryReader& query, std::string_view list) {
  constexpr std::size_t k_bytes_max = 100;
  constexpr int k_base = 16;
  const std::optional<std::string_view> text = query.text("cursor", k_bytes_max);
  if (!text) return std::nullopt;
  std::uint64_t position = 0;
  const char* end = text->data() + text->size();
  const bool is_ours =
      text->starts_with(list) && text->size() > list.size() + 1 && (*text)[list.size()] == '-';
  if (is_ours) {
    const auto read = std::from_chars(text->data() + list.size() + 1, end, position, k_base);
    if (read.ec == std::errc() && read.ptr == end) return position;
  }
  query.refuse("cursor", "must be the cursor of an earlier page of this list; begin without one");
  return std::nullopt;
}

}  // namespace vitrine::http
