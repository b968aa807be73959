#include "training/table_file.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine::training {
namespace {

// Where each of `columns` stands in the header.
absl::StatusOr<std::vector<std::size_t>> places_of(std::span<const std::string_view> columns,
                                                   std::span<const std::string_view> header) {
  std::vector<std::size_t> places;
  for (const std::string_view column : columns) {
    const auto found = std::ranges::find(header, column);
    if (found == header.end()) return invalid_argument("the header has no column '{}'", column);
    places.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return places;
}

}  // namespace

struct LineReader::File {
  explicit File(const std::filesystem::path& path) : handle(::gzopen(path.c_str(), "rb")) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (handle != nullptr) ::gzclose(handle);
  }
  gzFile handle;
};

LineReader::LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

absl::StatusOr<LineReader> LineReader::open(const std::filesystem::path& path) {
  LineReader reader;
  reader.file_ = std::make_unique<File>(path);
  if (reader.file_->handle == nullptr) return not_found("cannot open {}", path.string());
  ::gzbuffer(reader.file_->handle, 1U << 17U);
  return reader;
}

absl::StatusOr<std::optional<std::string_view>> LineReader::next() {
  line_.clear();
  for (;;) {
    const std::size_t end = std::string_view(buffer_).find('\n', position_);
    const bool is_whole = end != std::string::npos;
    line_.append(buffer_, position_, (is_whole ? end : buffer_.size()) - position_);
    if (line_.size() > k_line_bytes_max)
      return invalid_argument("the line is longer than {} bytes", k_line_bytes_max);
    position_ = is_whole ? end + 1 : buffer_.size();
    if (is_whole) break;
    VITRINE_ASSIGN_OR_RETURN(const bool has_more, fill());
    if (has_more) continue;
    if (line_.empty()) return std::nullopt;
    break;
  }
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return std::string_view(line_);
}

absl::StatusOr<bool> LineReader::fill() {
  buffer_.resize(1U << 16U);
  position_ = 0;
  const int count = ::gzread(file_->handle, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* reason = ::gzerror(file_->handle, &code);
  // A gzip stream that breaks off is told by the code only, after its last bytes were given out.
  if (count < 0 || (count == 0 && code != Z_OK && code != Z_STREAM_END))
    return data_loss("{}", reason);
  buffer_.resize(static_cast<std::size_t>(count));
  return count > 0;
}

absl::Status split_fields(std::string_view line, char separator,
                          std::vector<std::string_view>& fields,
                          std::vector<std::unique_ptr<std::string>>& unquoted) {
  fields.clear();
  unquoted.clear();
  for (;;) {
    if (!line.empty() && line.front() == '"' && separator == ',') {
      auto text = std::make_unique<std::string>();
      std::size_t i = 1;
      for (; i < line.size(); ++i) {
        if (line[i] == '"' && (i + 1 == line.size() || line[i + 1] != '"')) break;
        if (line[i] == '"') ++i;
        text->push_back(line[i]);
      }
      if (i >= line.size()) return invalid_argument("a quote is not closed");
      fields.push_back(*text);
      unquoted.push_back(std::move(text));
      line.remove_prefix(i + 1);
      if (!line.empty() && line.front() != separator)
        return invalid_argument("text after a closing quote");
    } else {
      const std::size_t end = std::min(line.find(separator), line.size());
      fields.push_back(line.substr(0, end));
      line.remove_prefix(end);
    }
    if (line.empty()) return absl::OkStatus();
    line.remove_prefix(1);
  }
}

absl::Status read_table(
    const std::filesystem::path& path, std::span<const std::string_view> columns,
    const std::function<absl::Status(std::span<const std::string_view>)>& take) {
  VITRINE_ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path));
  std::uint64_t number = 0;
  const auto at_line = [&](const absl::Status& status) {
    return absl::Status(status.code(),
                        fmt::format("{}: line {}: {}", path.string(), number, message_of(status)));
  };
  std::vector<std::string_view> fields;
  std::vector<std::unique_ptr<std::string>> unquoted;
  std::vector<std::size_t> places;
  std::vector<std::string_view> row(columns.size());
  std::size_t width = 0;
  for (;;) {
    ++number;
    const absl::StatusOr<std::optional<std::string_view>> line = lines.next();
    if (!line.ok()) return at_line(line.status());
    if (!line->has_value()) break;
    if ((*line)->empty()) continue;
    if (const absl::Status split = split_fields(**line, ',', fields, unquoted); !split.ok())
      return at_line(split);
    if (width == 0) {
      absl::StatusOr<std::vector<std::size_t>> found = places_of(columns, fields);
      if (!found.ok()) return at_line(found.status());
      places = *std::move(found);
      width = fields.size();
      continue;
    }
    if (fields.size() != width)
      return at_line(invalid_argument("{} fields, the header has {}", fields.size(), width));
    for (std::size_t i = 0; i < places.size(); ++i) row[i] = fields[places[i]];
    if (const absl::Status taken = take(row); !taken.ok()) return at_line(taken);
  }
  if (width == 0) return invalid_argument("{}: is empty", path.string());
  return absl::OkStatus();
}

absl::StatusOr<double> parse_number(std::string_view field, std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return invalid_argument("{} must be a number, got '{}'", field, text);
  return number;
}

}  // namespace vitrine::training
