#include "server/store/paced_writes.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/clock.h"

namespace vitrine::store {
namespace {

constexpr std::int64_t k_mib = 1 << 20;

TEST(PacedWritesTest, GivesAllThreadsTogetherTheirRateAndLetsEachOfThemEnd) {
  PacedWrites paced(16 * k_mib);
  const std::int64_t start_us = steady_us();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int step = 0; step < 16; ++step) {
        paced.Request(64 << 10, rocksdb::Env::IO_LOW, nullptr);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // 4 MiB, of which the last piece begins when all others have had their time.
  const std::int64_t took_us = steady_us() - start_us;
  EXPECT_GE(took_us, 240'000);
  EXPECT_EQ(paced.GetTotalBytesThrough(), 4 * k_mib);
  EXPECT_EQ(paced.GetTotalRequests(), 64);
}

TEST(PacedWritesTest, NeverKeepsAFlushWaiting) {
  PacedWrites paced(k_mib);
  const std::int64_t start_us = steady_us();
  for (int i = 0; i < 20; ++i) paced.Request(k_mib, rocksdb::Env::IO_HIGH, nullptr);
  EXPECT_LT(steady_us() - start_us, 1'000'000);
  // What waits pays for a second of it at most.
  paced.Request(1, rocksdb::Env::IO_LOW, nullptr);
  EXPECT_LT(steady_us() - start_us, 10'000'000);
}

}  // namespace
}  // namespace vitrine::store
