// Chance with a seed: the same seed gives the same numbers on every machine and compiler.
//
// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64. Not for secrets: those come
// from base/crypto.h. Not thread-safe; give each thread its own.
#pragma once

#include <cstdint>

namespace vitrine {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  // Uniform in [0, bound), without modulo bias; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double uniform();
  // Standard normal (Box-Muller).
  double normal();

 private:
  std::uint64_t state_[4];
};

// A fixed 64-bit mixing function (splitmix64's finalizer): the same input gives the same output for
// ever.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace vitrine
