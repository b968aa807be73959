// The process that is killed: threads redeem, hold, spend and return, and every answer is told to
// standard output.
//
//   coupon_writer FOLDER ROUND
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/crash/coupon_desk.h"

namespace vitrine::crash {
namespace {

using coupons::Desk;
using Outcome = absl::StatusOr<Desk::Outcome>;

constexpr std::uint64_t k_threads = 4;

void tell(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(EXIT_FAILURE);
}

template <class Call>
Outcome waited(Call call) {
  std::promise<Outcome> promise;
  const absl::Status sent = call([&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  CHECK(sent.ok(), "the queue is longer than the threads are many");
  return promise.get_future().get();
}

void tell_redeemed(const Outcome& outcome, const std::string& order) {
  CHECK(outcome.ok(), "every request of the test is good");
  tell(fmt::format("{} {}\n", outcome->order ? "redeemed" : "refused", order));
}

void work_for_ever(Desk& desk, std::uint64_t round, std::uint64_t thread) {
  Random random(round * k_threads + thread);
  for (std::uint64_t next = 0;; ++next) {
    const std::string order = fmt::format("r{}-t{}-{}", round, thread, next);
    const std::uint64_t dice = random.below(10);
    if (dice < 6) {
      tell_redeemed(waited([&](auto done) { return desk.redeem(checkout(order), done); }), order);
    } else {
      const Outcome held =
          waited([&](auto done) { return desk.hold(checkout(order), k_minute_ms, done); });
      CHECK(held.ok(), "every request of the test is good");
      if (!held->order || dice < 8) continue;
      const std::uint64_t number = held->order->number;
      tell_redeemed(
          waited([&](auto done) { return desk.redeem_held(number, order, "same", done); }), order);
    }
    if (dice == 0) {
      const Outcome back =
          waited([&](auto done) { return desk.give_back(order, "all", {}, "same", done); });
      if (back.ok()) tell(fmt::format("returned {}\n", order));
    }
  }
}

}  // namespace
}  // namespace vitrine::crash

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  vitrine::crash::OpenDesk open(argv[1]);
  vitrine::crash::tell("ready\n");
  std::vector<std::thread> threads;
  const std::uint64_t round = std::strtoull(argv[2], nullptr, 10);
  for (std::uint64_t thread = 0; thread < vitrine::crash::k_threads; ++thread) {
    threads.emplace_back([&, thread] { vitrine::crash::work_for_ever(*open.desk, round, thread); });
  }
  for (std::thread& thread : threads) thread.join();
}
