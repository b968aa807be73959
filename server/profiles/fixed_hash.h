// A 64-bit hash of text that is the same on every machine and in every version.
//
// FNV-1a, then mixed. For keys in memory, not for secrets. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace vitrine::profiles {

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t state = 0xCBF29CE484222325U) {
  for (const char c : text) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return state;
}

constexpr std::uint64_t fixed_hash(std::string_view text) { return mix64(fnv1a(text)); }

// Of two texts, which do not run into one another.
constexpr std::uint64_t fixed_hash(std::string_view scope, std::string_view text) {
  return mix64(fnv1a(text, mix64(fnv1a(scope))));
}

}  // namespace vitrine::profiles
