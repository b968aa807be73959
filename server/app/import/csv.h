// One CSV record in the form of RFC 4180: commas, double quotes, quotes doubled inside quotes.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::app {

// True when a quote is still open at the end of `record`: it goes on in the next line.
bool is_open_quoted(std::string_view record);

// Splits a whole record. InvalidArgument: text beside a quoted field, or a quote left open.
absl::Status split_csv(std::string_view record, std::vector<std::string>& fields);

// `text` as one field, in quotes when it must be.
void append_csv(std::string& out, std::string_view text);

}  // namespace vitrine::app
