// The lines of a text file, plain or gzip'ed, in order.
//
// One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct gzFile_s;

namespace vitrine::app {

class LineReader {
 public:
  // NotFound when there is no such file.
  static absl::StatusOr<LineReader> open(const std::filesystem::path& path);

  // The next line without its end ("\n" or "\r\n"); valid until the next call. False at the end.
  // DataLoss when the file is cut off or damaged.
  absl::StatusOr<bool> next(std::string_view& line);

  std::uint64_t line_number() const { return line_number_; }  // of the last line, from 1
  double share_read() const;                                  // of the file's bytes, in [0, 1]

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  LineReader(std::filesystem::path path, std::unique_ptr<gzFile_s, Close> file,
             std::uint64_t file_bytes);
  absl::Status fill();

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::uint64_t file_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  bool is_at_end_ = false;
  std::uint64_t line_number_ = 0;
};

}  // namespace vitrine::app
