// How fast files in the background are written: a rate limiter of RocksDB's.
//
// RocksDB's own one can wait for ever in the version that Debian 12 has (facebook/rocksdb#11742).
// Here nobody waits for anybody: each request takes the next free stretch of time, and sleeps until
// it begins. Flushes, which writers may come to wait for, take theirs without sleeping.
// Thread-safe.
#pragma once

#include <rocksdb/rate_limiter.h>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace vitrine::store {

class PacedWrites final : public rocksdb::RateLimiter {
 public:
  explicit PacedWrites(std::int64_t bytes_per_second)
      : RateLimiter(Mode::kWritesOnly), bytes_per_second_(bytes_per_second) {}

  void SetBytesPerSecond(std::int64_t bytes_per_second) override {
    bytes_per_second_ = bytes_per_second;
  }
  std::int64_t GetBytesPerSecond() const override { return bytes_per_second_; }
  // What one request may be of: a hundredth of a second.
  std::int64_t GetSingleBurstBytes() const override;

  using RateLimiter::Request;
  void Request(std::int64_t bytes, rocksdb::Env::IOPriority priority,
               rocksdb::Statistics* statistics) override;

  std::int64_t GetTotalBytesThrough(
      rocksdb::Env::IOPriority /*of_all*/ = rocksdb::Env::IO_TOTAL) const override {
    return bytes_;
  }
  std::int64_t GetTotalRequests(
      rocksdb::Env::IOPriority /*of_all*/ = rocksdb::Env::IO_TOTAL) const override {
    return requests_;
  }

 private:
  std::int64_t take(std::int64_t bytes, bool waits);  // in how many microseconds it begins

  std::atomic<std::int64_t> bytes_per_second_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::atomic<std::int64_t> requests_ = 0;
  std::mutex mutex_;
  std::int64_t free_from_us_ = 0;  // under the mutex
};

}  // namespace vitrine::store
