#include "server/store/paced_writes.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"

namespace vitrine::store {
namespace {

constexpr std::int64_t k_burst_bytes_min = 64 << 10;
// What flushes took is paid back by what waits, but not for longer than this.
constexpr std::int64_t k_debt_us_max = 1'000'000;

}  // namespace

std::int64_t PacedWrites::GetSingleBurstBytes() const {
  return std::max(k_burst_bytes_min, bytes_per_second_ / 100);
}

std::int64_t PacedWrites::take(std::int64_t bytes, bool waits) {
  const std::int64_t now_us = steady_us();
  const std::int64_t long_us = bytes * 1'000'000 / std::max<std::int64_t>(1, bytes_per_second_);
  const std::lock_guard lock(mutex_);
  const std::int64_t begins_us = std::max(now_us, free_from_us_);
  free_from_us_ = begins_us + long_us;
  if (!waits) free_from_us_ = std::min(free_from_us_, now_us + k_debt_us_max);
  return begins_us - now_us;
}

void PacedWrites::Request(std::int64_t bytes, rocksdb::Env::IOPriority priority,
                          rocksdb::Statistics* /*statistics*/) {
  bytes_ += bytes;
  ++requests_;
  const bool waits = priority < rocksdb::Env::IO_HIGH;
  const std::int64_t wait_us = take(bytes, waits);
  if (waits && wait_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
}

}  // namespace vitrine::store
