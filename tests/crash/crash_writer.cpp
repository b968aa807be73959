// The process that is killed: several threads collect events into one store and every acknowledged
// id is told to standard output before its thread goes on.
//
//   crash_writer FOLDER ROUND
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/status.h"
#include "server/collect/collector.h"
#include "server/events/event_log.h"
#include "tests/crash/crash_store.h"

namespace vitrine::crash {
namespace {

constexpr std::uint64_t k_threads = 4;

void tell(const std::string& line) {
  // One write is one piece in the pipe as long as it is shorter than PIPE_BUF.
  CHECK(line.size() < 4096, "a line stays whole in a pipe");
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(EXIT_FAILURE);
}

std::string id_of(std::uint64_t round, std::uint64_t thread, std::uint64_t number) {
  return fmt::format("r{}-t{}-{}", round, thread, number);
}

// Mostly new ids; some of this thread's last ones, some of other threads and rounds, where the
// first to come wins.
std::string choose_id(Random& random, std::uint64_t round, std::uint64_t thread,
                      std::uint64_t& next) {
  const std::uint64_t dice = random.below(100);
  if (dice < 10 && next > 0)
    return id_of(round, thread, next - 1 - random.below(std::min<std::uint64_t>(next, 8)));
  if (dice < 15) return id_of(round, random.below(k_threads), random.below(next + 1));
  if (dice < 20 && round > 0)
    return id_of(random.below(round), random.below(k_threads), random.below(200));
  return id_of(round, thread, next++);
}

collect::IncomingEvent choose_event(Random& random, std::string event_id) {
  collect::IncomingEvent incoming;
  Event& event = incoming.event;
  event.event_id = std::move(event_id);
  event.product_id = fmt::format("p{}", random.below(500));
  event.time_ms = event.received_ms = SystemClock().now_ms();
  const std::uint64_t dice = random.below(10);
  const std::uint64_t kind = random.below(12);
  if (kind < 4) {
    event.type = kind < 2 ? EventType::purchase : kind < 3 ? EventType::refund : EventType::cancel;
    event.order_id = fmt::format("o{}", random.below(2000));
    event.quantity = static_cast<std::int64_t>(random.below(4));
  }
  // One event in five names both: visitors find their users, and now and then another one.
  if (dice < 5) event.user_id = fmt::format("u{}", random.below(300));
  if (dice > 2) event.visitor_id = fmt::format("v{}", random.below(1000));
  return incoming;
}

void write_for_ever(collect::Collector& collector, std::uint64_t round, std::uint64_t thread) {
  Random random(round * k_threads + thread);
  for (std::uint64_t next = 0;;) {
    std::vector<collect::IncomingEvent> batch;
    std::string told = "ack";
    for (std::uint64_t left = 1 + random.below(20); left > 0; --left) {
      std::string id = choose_id(random, round, thread, next);
      told += " " + id;
      batch.push_back(choose_event(random, std::move(id)));
    }
    std::promise<void> answered;
    const absl::Status submitted = collector.collect(
        std::move(batch), k_source, false, [&](absl::StatusOr<collect::CollectOutcome> outcome) {
          CHECK(outcome.ok() && outcome->rejected.empty(), "every event of the test is good");
          tell(told + "\n");
          answered.set_value();
        });
    CHECK(submitted.ok(), "the queue is longer than the threads are many");
    answered.get_future().wait();
  }
}

int run(const char* folder, std::uint64_t round) {
  const auto database = std::move(store::Database::open(folder, store_options())).value();
  const auto identities = std::move(identity::IdentityBook::open(*database)).value();
  const auto quarantine = std::move(events::Quarantine::open(*database, {})).value();
  const SystemClock clock;
  Metrics metrics;
  const auto log = Log::to_stderr(Log::Level::warning);
  Books books(*database, metrics);
  Random random(round);
  events::Checkpointer checkpointer(*database, books.all, clock, metrics, *log,
                                    {.entries = 1 + random.below(400)});
  const absl::Status replayed = events::replay(*events::make_local_event_log(*database), *database,
                                               books.all, {}, &checkpointer);
  CHECK(replayed.ok(), "what an earlier round left can be read");
  events::Committer committer(*database, books.all, clock, metrics, *log, {}, &checkpointer);
  collect::Collector collector(*database, committer, *identities, *quarantine, clock, metrics, {});
  tell("ready\n");
  std::vector<std::thread> threads;
  threads.reserve(k_threads);
  for (std::uint64_t thread = 0; thread < k_threads; ++thread) {
    threads.emplace_back([&, thread] { write_for_ever(collector, round, thread); });
  }
  for (auto& thread : threads) thread.join();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vitrine::crash

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return vitrine::crash::run(argv[1], std::strtoull(argv[2], nullptr, 10));
}
