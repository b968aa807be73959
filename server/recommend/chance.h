// Chance for many threads: a numbered stream of draws from one seed.
//
// The same seed and the same order of draws give the same numbers. Thread-safe, without a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/random.h"

namespace vitrine::recommend {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : seed_(mix64(seed)) {}
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    return Random(seed_ ^ draws_.fetch_add(1, std::memory_order_relaxed)).below(bound);
  }

 private:
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> draws_{0};
};

}  // namespace vitrine::recommend
