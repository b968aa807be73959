#include "base/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/status.h"

namespace vitrine {
namespace {

constexpr int k_gzip_or_zlib = 32 + MAX_WBITS;  // told apart by zlib
constexpr int k_bare = -MAX_WBITS;
constexpr std::size_t k_step_bytes = std::size_t{16} * 1024;

absl::Status not_packed() {
  return invalid_argument("the bytes are not gzip or deflate, or were cut short");
}

// A zlib header is two bytes that make a multiple of 31 and name method 8 (RFC 1950, 2.2).
bool has_header(std::string_view bytes) {
  if (is_gzip(bytes)) return true;
  if (bytes.size() < 2) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0F) == Z_DEFLATED && (first * 256 + second) % 31 == 0;
}

class Inflater {
 public:
  explicit Inflater(std::string_view packed) {
    // zlib reads it only, although its type does not say so.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT
    stream_.avail_in = static_cast<uInt>(packed.size());
    is_ready_ = inflateInit2(&stream_, has_header(packed) ? k_gzip_or_zlib : k_bare) == Z_OK;
  }
  ~Inflater() {
    if (is_ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  absl::StatusOr<std::string> all(std::size_t max_bytes) {
    std::string unpacked;
    if (!is_ready_) return internal_error("zlib could not be started");
    for (;;) {
      // A kernel that interrupts no computation before its tick would leave all others waiting for
      // it, 4 ms with Debian's 250 ticks a second.
      std::this_thread::yield();
      stream_.next_out = step_.data();
      stream_.avail_out = static_cast<uInt>(step_.size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = step_.size() - stream_.avail_out;
      if (made > max_bytes - unpacked.size()) {
        return make_status(absl::StatusCode::kOutOfRange, "more than {} bytes come out", max_bytes);
      }
      unpacked.append(reinterpret_cast<const char*>(step_.data()), made);
      if (result == Z_STREAM_END) {
        if (stream_.avail_in == 0) return unpacked;
        if (inflateReset(&stream_) != Z_OK) return not_packed();  // gzip's next member
      } else if (result != Z_OK) {
        return not_packed();
      }
    }
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
  std::array<Bytef, k_step_bytes> step_{};
};

}  // namespace

absl::StatusOr<std::string> inflate(std::string_view packed, std::size_t max_bytes) {
  if (packed.empty()) return not_packed();
  return Inflater(packed).all(max_bytes);
}

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1F\x8B"); }

}  // namespace vitrine
