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

// What a handler is told of the wait before it, on a loop whose every answer takes a while.
TEST_F(FloodTest, ARequestKnowsHowLongItWaitedForItsTurn) {
  constexpr int k_clients = 60;
  constexpr std::int64_t k_answer_us = 2'000;
  router_.add("GET", "/waited", Scope::collect, answer_at_once([](Request& request) {
                const std::int64_t turn_us = steady_us();
                while (steady_us() < turn_us + k_answer_us) {
                }
                return json_response(std::to_string(turn_us - request.arrived_us));
              }));
  options_.threads = 1;
  start();
  const auto waited_us = [](RawClient& client) {
    const auto answer = client.receive();
    return answer ? std::stoll(answer->body) : -1;
  };
  RawClient lonely = connect();
  const auto ask_alone = [&] {
    lonely.send(get("/waited"));
    return waited_us(lonely);
  };
  EXPECT_LT(ask_alone(), k_answer_us) << "nothing is known yet";

  std::vector<RawClient> crowd;
  for (int i = 0; i < k_clients; ++i) crowd.push_back(connect());
  long long longest_us = 0;
  for (int round = 0; round < 3; ++round) {
    for (RawClient& client : crowd) client.send(get("/waited"));
    for (RawClient& client : crowd) longest_us = std::max(longest_us, waited_us(client));
  }
  EXPECT_GT(longest_us, k_clients * k_answer_us / 4);

  // Alone again: at the latest when what was measured has been forgotten.
  const std::int64_t until_us = steady_us() + 5'000'000;
  while (ask_alone() > 4 * k_answer_us && steady_us() < until_us) {
  }
  EXPECT_LT(steady_us(), until_us);
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
