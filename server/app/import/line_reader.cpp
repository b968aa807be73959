#include "server/app/import/line_reader.h"

#include <zlib.h>

#include <algorithm>
#include <system_error>

#include "base/status.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_read_bytes = std::size_t{256} << 10;
constexpr std::size_t k_line_bytes_max = std::size_t{4} << 20;  // longer "lines" are no text file

}  // namespace

void LineReader::Close::operator()(gzFile_s* file) const { ::gzclose(file); }

LineReader::LineReader(std::filesystem::path path, std::unique_ptr<gzFile_s, Close> file,
                       std::uint64_t file_bytes)
    : path_(std::move(path)), file_(std::move(file)), file_bytes_(file_bytes) {}

absl::StatusOr<LineReader> LineReader::open(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) return not_found("cannot read {}: {}", path.string(), error.message());
  std::unique_ptr<gzFile_s, Close> file(::gzopen(path.c_str(), "rb"));
  if (file == nullptr) return not_found("cannot open {}", path.string());
  ::gzbuffer(file.get(), k_read_bytes);
  return LineReader(path, std::move(file), bytes);
}

absl::Status LineReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (buffer_.size() > k_line_bytes_max) {
    return data_loss("{}: line {} is longer than {} bytes: this is no text file", path_.string(),
                     line_number_ + 1, k_line_bytes_max);
  }
  const std::size_t held = buffer_.size();
  buffer_.resize(held + k_read_bytes);
  const int got = ::gzread(file_.get(), buffer_.data() + held, k_read_bytes);
  buffer_.resize(held + static_cast<std::size_t>(std::max(got, 0)));
  int code = Z_OK;
  const char* reason = ::gzerror(file_.get(), &code);
  // A gzip stream that ends early gives its bytes first and Z_BUF_ERROR with them.
  if (got < 0 || code == Z_BUF_ERROR) {
    return data_loss("{} is damaged or cut off after line {}: {}", path_.string(), line_number_,
                     reason);
  }
  is_at_end_ = got == 0;
  return absl::OkStatus();
}

absl::StatusOr<bool> LineReader::next(std::string_view& line) {
  std::size_t searched = 0;
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos && !is_at_end_) {
    searched = buffer_.size() - begin_;
    VITRINE_RETURN_IF_ERROR(fill());
    end = buffer_.find('\n', begin_ + searched);
  }
  const bool has_end = end != std::string::npos;
  if (!has_end && begin_ == buffer_.size()) return false;
  line = std::string_view(buffer_).substr(begin_, has_end ? end - begin_ : std::string::npos);
  begin_ = has_end ? end + 1 : buffer_.size();
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++line_number_;
  return true;
}

double LineReader::share_read() const {
  if (file_bytes_ == 0) return 1;
  return std::min(1.0,
                  static_cast<double>(::gzoffset(file_.get())) / static_cast<double>(file_bytes_));
}

}  // namespace vitrine::app
