// Digests, secrets and comparisons that do not leak: the door to OpenSSL's libcrypto.
//
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

// SHA-256 of a stream of pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void add(std::string_view bytes);
  Sha256 digest();  // once, at the end

 private:
  void* context_;
};

// `count` bytes from the operating system's generator.
std::string secret_bytes(std::size_t count);

// Takes the same time wherever the two differ; false at once when the lengths do.
bool equal_in_constant_time(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);
inline std::string to_hex(const Sha256& digest) {
  return to_hex(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// 128 bits, time-ordered, in Crockford base 32 (26 characters), as in the ULID specification.
std::string make_ulid(std::int64_t time_ms);

}  // namespace vitrine
