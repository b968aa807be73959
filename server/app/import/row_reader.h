// The rows of an import file: CSV with a header line, or one JSON object a line (NDJSON), plain or
// gzip'ed.
//
// Which of the two is told by the first character. A bad line is a row with a reason, and reading
// goes on behind it. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/app/import/line_reader.h"

namespace vitrine::app {

struct RowField {
  std::string_view name;
  std::string_view text;  // a bare text, or JSON as it was written
  bool is_json = false;
};

struct Row {
  std::uint64_t line = 0;        // where it begins
  std::string raw;               // as it is in the file, without the line's end
  std::vector<RowField> fields;  // without those that are empty or null
  std::string refusal;           // why the row cannot be read; then there are no fields

  // Empty text when the row has no such field.
  std::string_view text(std::string_view name) const;
};

class RowReader {
 public:
  // InvalidArgument: an empty file, or a header that names a column twice.
  static absl::StatusOr<RowReader> open(const std::filesystem::path& path);

  // False at the end. What `row` holds is valid until the next call. An error is one of the file
  // as a whole.
  absl::StatusOr<bool> next(Row& row);

  double share_read() const { return lines_.share_read(); }

 private:
  explicit RowReader(LineReader lines) : lines_(std::move(lines)) {}
  absl::Status read_header(const std::filesystem::path& path);
  absl::StatusOr<bool> next_line(std::string& line, std::uint64_t& number);
  absl::Status complete_record(Row& row);
  void split_record(Row& row);
  void split_object(Row& row);

  LineReader lines_;
  bool is_csv_ = true;
  std::vector<std::string> columns_;  // CSV only
  // Lines taken while the end of a quoted field was looked for, to be read again.
  std::deque<std::pair<std::uint64_t, std::string>> put_back_;
  std::vector<std::string> values_;  // what the fields of the last row point into
};

}  // namespace vitrine::app
