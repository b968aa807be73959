// Many at once: clients that are slow on purpose, and clients that come and go.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <fstream>
#include <vector>

#include "server_fixture.h"

namespace vitrine::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_slow_clients = 5'000;
constexpr std::size_t k_short_visits = 10'000;
// What a connection may hold while its headers are on their way: a first read, the parser, and the
// coroutine.
constexpr std::size_t k_bytes_each_max = std::size_t{20} * 1024;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

// Both ends of every connection are in this process.
bool has_descriptors_for(std::size_t connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= 2 * connections + 100;
}

class FloodTest : public ServerFixture {
 protected:
  // The longest of some requests of a client that does nothing wrong.
  milliseconds longest_answer() {
    RawClient client = connect();
    milliseconds longest{0};
    for (int i = 0; i < 200; ++i) {
      const std::int64_t asked_us = steady_us();
      const auto answer = client.ask(get("/healthz"));
      EXPECT_TRUE(answer && answer->status == 200);
      longest = std::max(longest, milliseconds((steady_us() - asked_us) / 1000));
    }
    return longest;
  }
};

TEST_F(FloodTest, FiveThousandSlowClientsKeepNobodyWaitingAndAreCutOff) {
  if (!has_descriptors_for(k_slow_clients)) GTEST_SKIP() << "the system allows too few descriptors";
  options_.limits.header_timeout = milliseconds(4'000);
  options_.limits.linger_timeout = milliseconds(100);
  start();
  const std::size_t before = resident_bytes();

  std::vector<RawClient> slow;
  slow.reserve(k_slow_clients);
  for (std::size_t i = 0; i < k_slow_clients; ++i) {
    slow.push_back(connect());
    slow.back().send("GET /healthz HTTP/1.1\r\nX-Slow: ");
  }
  const milliseconds longest = longest_answer();
  const std::size_t held = resident_bytes() - before;

  EXPECT_LT(longest, milliseconds(1'000)) << "nobody waits for slow clients";
  EXPECT_LT(held, k_slow_clients * k_bytes_each_max);
  for (RawClient& client : slow) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->status, 408);
  }
  expect_alive();
}

TEST_F(FloodTest, TenThousandShortVisitsLeaveNothing) {
  start();
  expect_alive();
  const std::size_t before = open_descriptors();

  for (std::size_t i = 0; i < k_short_visits; ++i) {
    RawClient visitor = connect();
    if (i % 2 == 0) visitor.send("GET / HT");
  }

  EXPECT_LT(longest_answer(), milliseconds(1'000));
  server_->stop();
  EXPECT_LE(open_descriptors(), before);
}

}  // namespace
}  // namespace vitrine::http
