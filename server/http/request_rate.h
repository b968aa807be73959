// How many requests a key may make: so many a second, and a burst on top when it was quiet.
//
// Thread-safe, without a lock.
#pragma once

#include <atomic>
#include <cstdint>

namespace vitrine::http {

class ObjectReader;

struct RequestRate {
  static constexpr std::uint32_t k_per_second_max = 1'000'000;
  static constexpr std::uint32_t k_burst_max = 10'000'000;

  std::uint32_t per_second = 10'000;  // [1, k_per_second_max]
  std::uint32_t burst = 20'000;       // requests at once; [1, k_burst_max]
  friend bool operator==(const RequestRate&, const RequestRate&) = default;
};

// The fields `requests_per_second` and `burst`, the latter twice the former when it is not said;
// what is absent is the default, what is wrong is refused on the reader.
RequestRate read_rate(ObjectReader& reader);

// A bucket that fills with time, kept as the moment at which it would be full again (the generic
// cell rate algorithm of ITU-T I.371).
class RequestBucket {
 public:
  explicit RequestBucket(const RequestRate& rate)
      : rate_(rate), interval_ns_(1'000'000'000 / rate.per_second) {}

  // Whether one more request at `now_us` of a steady clock is within the rate; only then it counts.
  bool take(std::int64_t now_us) {
    const std::int64_t now_ns = now_us * 1000;
    const std::int64_t latest_ns = now_ns + interval_ns_ * rate_.burst;
    std::int64_t full_at_ns = full_at_ns_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t next_ns = (full_at_ns > now_ns ? full_at_ns : now_ns) + interval_ns_;
      if (next_ns > latest_ns) return false;
      if (full_at_ns_.compare_exchange_weak(full_at_ns, next_ns, std::memory_order_relaxed)) {
        return true;
      }
    }
  }

  const RequestRate& rate() const { return rate_; }

 private:
  const RequestRate rate_;
  const std::int64_t interval_ns_;
  std::atomic<std::int64_t> full_at_ns_ = 0;
};

}  // namespace vitrine::http
