// Reads files of lines and of comma-separated values, plain or gzip'ed.
//
// Thread-safety: one thread a reader.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::training {

// Lines of a file, plain or gzip'ed: zlib tells them apart.
class LineReader {
 public:
  static constexpr std::size_t k_line_bytes_max =
      64U << 20U;  // a user of the LightGCN form may have millions of products

  // NotFound: the file cannot be opened.
  static absl::StatusOr<LineReader> open(const std::filesystem::path& path);
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;
  ~LineReader();

  // The next line without its end; nothing at the end of the file. The text is good until the next
  // call. DataLoss: a gzip stream that breaks off; InvalidArgument: a line past the limit.
  absl::StatusOr<std::optional<std::string_view>> next();

 private:
  struct File;  // keeps zlib out of the header

  LineReader();
  absl::StatusOr<bool> fill();

  std::unique_ptr<File> file_;
  std::string buffer_;
  std::size_t position_ = 0;
  std::string line_;
};

// Cuts a line at `separator`; a field may stand in double quotes, doubled inside, if the separator
// is a comma. The views point into `line` or `unquoted`.
absl::Status split_fields(std::string_view line, char separator,
                          std::vector<std::string_view>& fields,
                          std::vector<std::unique_ptr<std::string>>& unquoted);

// The named columns of a file with a header, row by row, in the order of `columns`; others are
// skipped. The views are good during the call. An error of `take` ends the reading.
// Errors name file, line and reason: a missing column, or a row of another width.
absl::Status read_table(const std::filesystem::path& path,
                        std::span<const std::string_view> columns,
                        const std::function<absl::Status(std::span<const std::string_view>)>& take);

// The whole of `text` as a number; the message names `field` and the text.
absl::StatusOr<double> parse_number(std::string_view field, std::string_view text);

}  // namespace vitrine::training
