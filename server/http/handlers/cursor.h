// Where the next page of a list begins, in a form that clients pass back and do not read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/query_reader.h"

namespace vitrine::http {

// `list` names the list, so that the cursor of one is not taken for another's.
std::string write_cursor(std::string_view list, std::uint64_t position);

// The parameter `cursor`; nothing for the first page. What write_cursor did not make for this list
// is refused.
std::optional<std::uint64_t> read_cursor(QueryReader& query, std::string_view list);

}  // namespace vitrine::http
