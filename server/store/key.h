// Keys in byte order: numbers big-endian, ids of people as keyed hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::store {

std::string key_of(std::uint64_t number);  // 8 bytes
std::string key_of(std::uint32_t number);  // 4 bytes
std::optional<std::uint64_t> number_in(std::string_view eight_bytes);
std::optional<std::uint32_t> small_number_in(std::string_view four_bytes);

constexpr std::size_t k_hashed_key_bytes = 16;

// The first 16 bytes of HMAC-SHA-256 under the data directory's secret over kind, a zero byte,
// scope, a zero byte and id: a key in the store never shows the id of a person, not even in files
// that outlive the key.
std::string hashed_key(std::string_view secret, std::string_view kind, std::string_view scope,
                       std::string_view id);

}  // namespace vitrine::store
