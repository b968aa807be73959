// How long the searches of a source take these days, so that none is begun that would end too late.
//
// Thread-safe; a lost update costs nothing but a little memory of the past.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitrine::recommend {

class Pace {
 public:
  // Twice the mean of the latest: half of all durations are longer than the mean.
  std::int64_t expected_us() const { return 2 * mean_us_.load(std::memory_order_relaxed); }

  void note(std::int64_t duration_us) {
    const std::int64_t mean_us = mean_us_.load(std::memory_order_relaxed);
    const bool is_first = mean_us == 0;
    mean_us_.store(is_first ? duration_us : mean_us + (duration_us - mean_us) / k_weight_one_of,
                   std::memory_order_relaxed);
  }
  // It was left out. The expectation falls a little each time, so that it is tried again.
  void pass() {
    const std::int64_t mean_us = mean_us_.load(std::memory_order_relaxed);
    mean_us_.store(mean_us - mean_us / k_forgotten_one_of, std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t k_weight_one_of = 4;  // of the latest
  static constexpr std::int64_t k_forgotten_one_of = 64;

  std::atomic<std::int64_t> mean_us_{0};
};

// One for each source there is.
class SourcePaces {
 public:
  static constexpr std::size_t k_sources_max = 32;

  // Precondition, checked: a source there is.
  Pace& of(std::string_view source);

 private:
  std::array<Pace, k_sources_max> paces_;  // in the order of all_sources()
};

}  // namespace vitrine::recommend
