#include "server/app/import/csv.h"

#include <algorithm>

#include "base/status.h"

namespace vitrine::app {

bool is_open_quoted(std::string_view record) { return std::ranges::count(record, '"') % 2 == 1; }

absl::Status split_csv(std::string_view record, std::vector<std::string>& fields) {
  std::size_t count = 0;
  const auto next_field = [&]() -> std::string& {
    if (count == fields.size()) fields.emplace_back();
    fields[count].clear();
    return fields[count++];
  };

  while (true) {
    std::string& field = next_field();
    std::size_t end = 0;
    if (record.starts_with('"')) {
      end = 1;
      while (true) {
        const std::size_t quote = record.find('"', end);
        if (quote == std::string_view::npos) return invalid_argument("a quote is not closed");
        field += record.substr(end, quote - end);
        end = quote + 1;
        if (end >= record.size() || record[end] != '"') break;
        field += '"';
        ++end;
      }
      if (end < record.size() && record[end] != ',') {
        return invalid_argument("field {} has text after its closing quote", count);
      }
    } else {
      end = std::min(record.find(','), record.size());
      field = record.substr(0, end);
      if (field.find('"') != std::string::npos) {
        return invalid_argument("field {} has a quote inside, but is not in quotes", count);
      }
    }
    if (end == record.size()) break;
    record.remove_prefix(end + 1);
  }
  fields.resize(count);
  return absl::OkStatus();
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace vitrine::app
