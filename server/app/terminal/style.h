// What a terminal can show: colours and how wide text is.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace vitrine::app {

enum class Colour { bold, dim, green, yellow, red, cyan };

// True when `stream` is a terminal that has colours and NO_COLOR is not set.
bool has_colours(std::FILE* stream);
bool is_terminal(std::FILE* stream);

// `text` in a colour when `enabled`, else as it is.
std::string styled(std::string_view text, Colour colour, bool enabled);

// Columns that UTF-8 `text` takes: 2 for East Asian wide characters, 0 for combining marks.
std::size_t display_width(std::string_view text);

// The longest beginning of `text` that fits into `columns`, with "…" in place of what was cut.
std::string fitted(std::string_view text, std::size_t columns);

// 502848 as "502,848".
std::string grouped(std::uint64_t number);
// "1.4 GiB", "312 KiB".
std::string bytes_text(std::uint64_t bytes);
// "12.3 s", "2 min 5 s".
std::string duration_text(double seconds);

}  // namespace vitrine::app
