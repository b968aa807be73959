// The plain SHA-256 functions are marked as old, not as wrong.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstring>

#include "base/check.h"
#include "base/random.h"

namespace vitrine {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
        "SHA-256 is available");
  return digest;
}

// RFC 2104 over the plain SHA-256 functions: HMAC() looks its algorithm up at every call, which
// takes four times as long as the four blocks of a short message.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<std::uint8_t, SHA256_CBLOCK> block{};
  if (key.size() > block.size()) {
    const Sha256 short_key = sha256(key);
    std::memcpy(block.data(), short_key.data(), short_key.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  const auto digest_after = [&block](std::uint8_t pad, std::string_view message) {
    std::array<std::uint8_t, SHA256_CBLOCK> padded{};
    for (std::size_t i = 0; i < block.size(); ++i) padded[i] = block[i] ^ pad;
    SHA256_CTX context;
    Sha256 digest;
    SHA256_Init(&context);
    SHA256_Update(&context, padded.data(), padded.size());
    SHA256_Update(&context, message.data(), message.size());
    SHA256_Final(digest.data(), &context);
    return digest;
  };
  const Sha256 inner = digest_after(0x36, bytes);
  return digest_after(0x5c, {reinterpret_cast<const char*>(inner.data()), inner.size()});
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr, "memory for a digest");
  CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1,
        "SHA-256 is available");
}
Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Sha256Stream::add(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1,
        "a digest goes on");
}
Sha256 Sha256Stream::digest() {
  Sha256 digest;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest.data(), nullptr) == 1,
        "a digest ends once");
  return digest;
}

std::string secret_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1,
        "the operating system has randomness");
  return bytes;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
  constexpr char k_digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += k_digits[byte >> 4];
    hex += k_digits[byte & 15];
  }
  return hex;
}

namespace {

// Ids need to be unique, not secret: one draw from the operating system a thread, then a fast
// generator.
Random& id_source() {
  thread_local Random source = [] {
    const std::string seed = secret_bytes(8);
    std::uint64_t number = 0;
    for (const char c : seed) number = (number << 8) | static_cast<unsigned char>(c);
    return Random(number);
  }();
  return source;
}

}  // namespace

std::string make_ulid(std::int64_t time_ms) {
  constexpr char k_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string text(26, '0');
  auto time = static_cast<std::uint64_t>(time_ms);
  for (std::size_t i = 10; i-- > 0; time >>= 5) text[i] = k_alphabet[time & 31];
  Random& source = id_source();
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = source.next();
    for (std::size_t i = 0; i < 8; ++i, bits >>= 5) text[10 + half * 8 + i] = k_alphabet[bits & 31];
  }
  return text;
}

}  // namespace vitrine
