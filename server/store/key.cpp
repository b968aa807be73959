#include "server/store/key.h"

#include "base/crypto.h"

namespace vitrine::store {
namespace {

template <class Number>
std::string big_endian(Number number) {
  std::string key(sizeof(Number), '\0');
  for (std::size_t i = sizeof(Number); i-- > 0; number >>= 8) {
    key[i] = static_cast<char>(number & 0xFF);
  }
  return key;
}

template <class Number>
std::optional<Number> from_big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(Number)) return std::nullopt;
  Number number = 0;
  for (const char c : bytes) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

std::string key_of(std::uint64_t number) { return big_endian(number); }
std::string key_of(std::uint32_t number) { return big_endian(number); }

std::optional<std::uint64_t> number_in(std::string_view eight_bytes) {
  return from_big_endian<std::uint64_t>(eight_bytes);
}
std::optional<std::uint32_t> small_number_in(std::string_view four_bytes) {
  return from_big_endian<std::uint32_t>(four_bytes);
}

std::string hashed_key(std::string_view secret, std::string_view kind, std::string_view scope,
                       std::string_view id) {
  std::string text;
  text.reserve(kind.size() + scope.size() + id.size() + 2);
  text.append(kind).append(1, '\0').append(scope).append(1, '\0').append(id);
  const Sha256 digest = hmac_sha256(secret, text);
  return {reinterpret_cast<const char*>(digest.data()), k_hashed_key_bytes};
}

}  // namespace vitrine::store
