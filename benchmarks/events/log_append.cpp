// How many events a second become durable, and how long a sender waits for that.
//
// Closed loop: each producer is a thread that waits for one answer before it sends the next
// command.
//   append   entries straight to the committer: what log and sync cost
//   collect  JSON bodies through parsing, validation, deduplication and identity
//
//   bench_events [SECONDS_PER_LINE]
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "benchmarks/support/about.h"
#include "server/collect/collector.h"

namespace vitrine {
namespace {

constexpr const char* k_folder_pattern = "vitrine-bench-XXXXXX";

// Everything that writes, on a store of its own.
class Writing {
 public:
  Writing() {
    std::string name = std::filesystem::temp_directory_path() / k_folder_pattern;
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    database_ = std::move(store::Database::open(folder_, {})).value();
    identities_ = std::move(identity::IdentityBook::open(*database_)).value();
    quarantine_ = std::move(events::Quarantine::open(*database_, {})).value();
    committer_.emplace(*database_, std::span<events::Projection* const>{}, clock_, metrics_, *log_,
                       events::Committer::Options{});
    collector_.emplace(*database_, *committer_, *identities_, *quarantine_, clock_, metrics_,
                       collect::Collector::Options{});
  }
  ~Writing() {
    committer_->stop();
    database_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  events::Committer& committer() { return *committer_; }
  collect::Collector& collector() { return *collector_; }
  const identity::IdentityBook& identities() const { return *identities_; }
  TimeMs now_ms() const { return clock_.now_ms(); }

 private:
  std::filesystem::path folder_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<events::Quarantine> quarantine_;
  std::optional<events::Committer> committer_;
  std::optional<collect::Collector> collector_;
};

void append(Writing& writing, std::size_t events, Random& random) {
  const auto answered = writing.committer().submit_and_wait([&](events::Batch& batch) {
    for (std::size_t i = 0; i < events; ++i) {
      Event event;
      event.event_id = fmt::format("{:016x}", random.next());
      event.time_ms = event.received_ms = batch.time_ms();
      event.session_id = "session-of-usual-length-0123";
      event.product_id = fmt::format("product-{}", random.below(100'000));
      batch.append({.user = UserNumber(7),
                    .visitor = UserNumber(7),
                    .source = "bench",
                    .what = std::move(event)});
    }
    return absl::OkStatus();
  });
  if (!answered.ok()) std::abort();
}

std::string body_of(std::size_t events, TimeMs now_ms, Random& random) {
  std::string body = "{\"events\": [";
  for (std::size_t i = 0; i < events; ++i) {
    fmt::format_to(std::back_inserter(body),
                   R"({}{{"event_id": "{:016x}", "type": "view", "visitor_id": "visitor-{}", )"
                   R"("session_id": "session-{}", "product_id": "product-{}", "price": "19.90", )"
                   R"("currency": "EUR", "channel": "web", "time": {}, )"
                   R"("properties": {{"referrer": "newsletter"}}}})",
                   i == 0 ? "" : ",", random.next(), random.below(20'000), random.below(60'000),
                   random.below(100'000), now_ms);
  }
  return body + "]}";
}

void collect_json(Writing& writing, std::size_t events, Random& random) {
  const std::string body = body_of(events, writing.now_ms(), random);
  auto batch = collect::parse_native_batch(body, writing.now_ms());
  std::promise<bool> answered;
  const absl::Status submitted =
      writing.collector().collect(std::move(batch).value(), "bench", false,
                                  [&](absl::StatusOr<collect::CollectOutcome> outcome) {
                                    answered.set_value(outcome.ok() && outcome->accepted == events);
                                  });
  if (!submitted.ok() || !answered.get_future().get()) std::abort();
}

using Send = void (*)(Writing&, std::size_t events, Random&);

void measure(const char* what, Send send, std::size_t events, unsigned producers, double seconds) {
  Writing writing;
  const std::int64_t start_us = steady_us();
  const std::int64_t end_us = start_us + static_cast<std::int64_t>(seconds * 1e6);
  std::vector<std::vector<std::int64_t>> waits_us(producers);
  std::vector<std::thread> threads;
  threads.reserve(producers);
  for (unsigned producer = 0; producer < producers; ++producer) {
    threads.emplace_back([&, producer] {
      Random random(producer + 1);
      while (steady_us() < end_us) {
        const std::int64_t sent_us = steady_us();
        send(writing, events, random);
        waits_us[producer].push_back(steady_us() - sent_us);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double took = static_cast<double>(steady_us() - start_us) * 1e-6;

  std::vector<std::int64_t> all_us;
  for (const auto& own : waits_us) all_us.insert(all_us.end(), own.begin(), own.end());
  std::ranges::sort(all_us);
  const auto percentile_ms = [&](double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(all_us.size() - 1));
    return static_cast<double>(all_us[at]) * 1e-3;
  };
  fmt::print("{:<8} {:>14} {:>10} {:>12.0f} {:>11.2f} {:>11.2f}\n", what, events, producers,
             static_cast<double>(all_us.size() * events) / took, percentile_ms(0.5),
             percentile_ms(0.99));
  std::fflush(stdout);
}

// What one thread does before anything waits for the disk.
void measure_alone() {
  Writing writing;
  Random random(1);
  constexpr std::size_t k_events = 1000;
  constexpr int k_rounds = 50;
  const std::string body = body_of(k_events, writing.now_ms(), random);
  std::int64_t start_us = steady_us();
  for (int i = 0; i < k_rounds; ++i) {
    const auto batch = collect::parse_native_batch(body, writing.now_ms());
    if (!batch.ok() || batch->size() != k_events) std::abort();
  }
  const double parse_us = static_cast<double>(steady_us() - start_us) / (k_events * k_rounds);

  for (int i = 0; i < 20; ++i) collect_json(writing, k_events, random);
  start_us = steady_us();
  std::size_t known = 0;
  constexpr int k_lookups = 200'000;
  for (int i = 0; i < k_lookups; ++i) {
    const std::string visitor = fmt::format("visitor-{}", random.below(20'000));
    known += writing.identities().find({}, visitor).user != k_nobody ? 1 : 0;
  }
  const double find_us = static_cast<double>(steady_us() - start_us) / k_lookups;
  fmt::print("\nparse one event {:.2f} us; find one visitor {:.2f} us ({:.0f} % known)\n", parse_us,
             find_us, 100.0 * static_cast<double>(known) / k_lookups);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 0.5;
  if (argc > 2 || seconds <= 0) {
    fmt::print(stderr, "usage: bench_events [SECONDS_PER_LINE]\n");
    return 2;
  }
  fmt::print("machine {}\ncommit  {}\ndata    events of about 250 bytes as JSON, new ids\n\n",
             machine(), commit());
  fmt::print("{:<8} {:>14} {:>10} {:>12} {:>11} {:>11}\n", "path", "events/command", "producers",
             "events/s", "ack p50 ms", "ack p99 ms");
  for (const auto& [what, send] : {std::pair{"append", Send{append}}, {"collect", collect_json}}) {
    for (const std::size_t events : {1U, 10U, 100U, 1000U}) {
      for (const unsigned producers : {1U, 8U, 64U})
        measure(what, send, events, producers, seconds);
    }
  }
  measure_alone();
  return 0;
}
