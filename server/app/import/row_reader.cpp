#include "server/app/import/row_reader.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/status.h"
#include "base/string_map.h"
#include "model/event.h"
#include "server/app/import/csv.h"

namespace vitrine::app {
namespace {

// A quoted field that goes on for longer has lost its closing quote.
constexpr std::size_t k_record_lines_max = 1000;
constexpr std::size_t k_object_depth_max = 32;

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

}  // namespace

std::string_view Row::text(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &RowField::name);
  return found == fields.end() ? std::string_view() : found->text;
}

absl::StatusOr<RowReader> RowReader::open(const std::filesystem::path& path) {
  VITRINE_ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path));
  RowReader reader(std::move(lines));
  VITRINE_RETURN_IF_ERROR(reader.read_header(path));
  return reader;
}

absl::Status RowReader::read_header(const std::filesystem::path& path) {
  std::string first;
  std::uint64_t number = 0;
  VITRINE_ASSIGN_OR_RETURN(const bool found, next_line(first, number));
  if (!found) return invalid_argument("{} is empty", path.string());
  first = std::string(without_byte_order_mark(first));
  is_csv_ = !first.starts_with('{');
  if (!is_csv_) {
    put_back_.emplace_front(number, std::move(first));
    return absl::OkStatus();
  }
  if (absl::Status split = split_csv(first, columns_); !split.ok()) {
    return invalid_argument("{}: the header line cannot be read: {}", path.string(),
                            message_of(split));
  }
  StringSet seen;
  for (const std::string& column : columns_) {
    if (!seen.insert(column).second) {
      return invalid_argument("{}: column '{}' is there twice", path.string(), column);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RowReader::next_line(std::string& line, std::uint64_t& number) {
  if (!put_back_.empty()) {
    number = put_back_.front().first;
    line = std::move(put_back_.front().second);
    put_back_.pop_front();
    return true;
  }
  std::string_view text;
  VITRINE_ASSIGN_OR_RETURN(const bool found, lines_.next(text));
  if (!found) return false;
  line.assign(text);
  number = lines_.line_number();
  return true;
}

absl::StatusOr<bool> RowReader::next(Row& row) {
  row.fields.clear();
  row.refusal.clear();
  do {
    VITRINE_ASSIGN_OR_RETURN(const bool found, next_line(row.raw, row.line));
    if (!found) return false;
  } while (row.raw.empty());
  if (!is_valid_utf8(row.raw)) {
    row.refusal = "the line is not UTF-8";
  } else if (is_csv_) {
    if (is_open_quoted(row.raw)) VITRINE_RETURN_IF_ERROR(complete_record(row));
    split_record(row);
  } else {
    split_object(row);
  }
  return true;
}

// Joins the lines of a record whose quotes hold line ends. When the closing quote does not come,
// the record is its first line alone, and what follows is read again.
absl::Status RowReader::complete_record(Row& row) {
  std::string whole = row.raw;
  std::deque<std::pair<std::uint64_t, std::string>> taken;
  while (taken.size() < k_record_lines_max) {
    std::string line;
    std::uint64_t number = 0;
    VITRINE_ASSIGN_OR_RETURN(const bool found, next_line(line, number));
    if (!found) break;
    whole += '\n';
    whole += line;
    taken.emplace_back(number, std::move(line));
    if (is_open_quoted(taken.back().second)) {
      row.raw = std::move(whole);
      return absl::OkStatus();
    }
  }
  put_back_.insert(put_back_.begin(), std::make_move_iterator(taken.begin()),
                   std::make_move_iterator(taken.end()));
  return absl::OkStatus();
}

void RowReader::split_record(Row& row) {
  if (absl::Status split = split_csv(row.raw, values_); !split.ok()) {
    row.refusal = message_of(split);
    return;
  }
  if (values_.size() != columns_.size()) {
    row.refusal =
        fmt::format("the line has {} fields, the header {}", values_.size(), columns_.size());
    return;
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (!values_[i].empty()) row.fields.push_back({columns_[i], values_[i], false});
  }
}

void RowReader::split_object(Row& row) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = k_object_depth_max;
  const boost::json::value parsed =
      boost::json::parse(row.raw, error, boost::json::storage_ptr(), options);
  if (error || !parsed.is_object()) {
    row.refusal = error ? fmt::format("the line is not JSON: {}", error.message())
                        : std::string("the line is not a JSON object");
    return;
  }
  const boost::json::object& object = parsed.get_object();
  values_.clear();
  values_.reserve(2 * object.size());
  for (const auto& [key, value] : object) {
    if (value.is_null()) continue;
    const std::string& name = values_.emplace_back(key);
    const std::string& text = values_.emplace_back(
        value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value));
    if (!text.empty()) row.fields.push_back({name, text, !value.is_string()});
  }
}

}  // namespace vitrine::app
