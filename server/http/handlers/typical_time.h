// How long answers have lately taken from their turn on, with what they waited for on the way:
// processors, searches that run already.
//
// Thread-safe; a lost update is of no account.
#pragma once

#include <atomic>
#include <cstdint>

namespace vitrine::http {

class TypicalTime {
 public:
  void note(std::int64_t took_us) {
    const std::int64_t mean_us = mean_us_.load(std::memory_order_relaxed);
    mean_us_.store(mean_us + (took_us - mean_us) / k_weight, std::memory_order_relaxed);
  }
  std::int64_t us() const { return mean_us_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t k_weight = 32;  // the mean of about so many answers
  std::atomic<std::int64_t> mean_us_ = 0;
};

}  // namespace vitrine::http
