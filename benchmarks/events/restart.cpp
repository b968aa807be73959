// How long a start takes, part by part, on a folder with many events whose process was killed.
//
//   bench_restart fill FOLDER EVENTS USERS PRODUCTS   writes them, then ends without saying goodbye
//   bench_restart open FOLDER                         brings everything back and tells the times
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/status.h"
#include "benchmarks/support/about.h"
#include "server/events/event_log.h"
#include "server/identity/identity_book.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
#include "server/store/key.h"

namespace vitrine {
namespace {

class Stopwatch {
 public:
  void tell(const char* what) {
    const std::int64_t now_us = steady_us();
    const double cpu_s = processor_s();
    fmt::print("{:<28} {:>8.2f} s, processor {:>8.2f} s\n", what,
               static_cast<double>(now_us - last_us_) * 1e-6, cpu_s - last_cpu_s_);
    std::fflush(stdout);
    last_us_ = now_us;
    last_cpu_s_ = cpu_s;
  }
  double total_s() const { return static_cast<double>(steady_us() - start_us_) * 1e-6; }

 private:
  // Of all threads.
  static double processor_s() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }
  const std::int64_t start_us_ = steady_us();
  std::int64_t last_us_ = start_us_;
  double last_cpu_s_ = processor_s();
};

void must(const absl::Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", message_of(status));
  std::quick_exit(1);
}

// The parts of a server that a start brings back.
struct Parts {
  explicit Parts(const std::string& folder) {
    Stopwatch watch;
    auto opened = store::Database::open(folder, {.max_total_wal_bytes = std::uint64_t{32} << 20});
    must(opened.status());
    database = *std::move(opened);
    watch.tell("open the store");
    log = events::make_local_event_log(*database);
    numbers_book.emplace(numbers, *database);
    must(events::restore_checkpoint(*database, log->last_position(), *numbers_book));
    watch.tell("product numbers");
    identities = std::move(identity::IdentityBook::open(*database)).value();
    watch.tell("people");
    profiles.emplace(numbers, *database, metrics, profiles::ProfileBook::Options{});
    popularity.emplace(numbers, *database);
    all = {&*numbers_book, &*profiles, &*popularity};
    checkpointer.emplace(*database, all, clock, metrics, *silent, events::Checkpointer::Options{});
    Position first = 0;
    must(events::replay(
        *log, *database, all, [&](Position done, Position) { first = first == 0 ? done : first; },
        &*checkpointer));
    watch.tell("checkpoint and replay");
    fmt::print("{:<28} {:>8.2f} s\n", "all", watch.total_s());
  }

  SystemClock clock;
  Metrics metrics;
  std::unique_ptr<Log> silent = Log::silent();
  std::unique_ptr<store::Database> database;
  std::unique_ptr<events::EventLog> log;
  std::unique_ptr<identity::IdentityBook> identities;
  catalog::ProductNumbers numbers;
  std::optional<catalog::CheckpointedNumbers> numbers_book;
  std::optional<profiles::ProfileBook> profiles;
  std::optional<profiles::PopularityBook> popularity;
  std::vector<events::Projection*> all;
  std::optional<events::Checkpointer> checkpointer;
};

// Squared: a few are active, most are not.
std::uint64_t skewed(Random& random, std::uint64_t bound) {
  const double share = random.uniform();
  return static_cast<std::uint64_t>(share * share * static_cast<double>(bound));
}

void fill(Parts& parts, std::uint64_t events, std::uint64_t users, std::uint64_t products) {
  events::Committer committer(*parts.database, parts.all, parts.clock, parts.metrics, *parts.silent,
                              {}, &*parts.checkpointer);
  Random random(1);
  constexpr std::uint64_t k_batch = 20'000;
  for (std::uint64_t done = 0; done < events; done += k_batch) {
    const auto written = committer.submit_and_wait([&](events::Batch& batch) {
      for (std::uint64_t i = 0; i < k_batch; ++i) {
        Event event;
        event.event_id = fmt::format("{:016x}", random.next());
        const std::uint64_t kind = random.below(20);
        event.type = kind == 0  ? EventType::purchase
                     : kind < 3 ? EventType::cart_add
                                : EventType::view;
        // Thirty days, in order.
        const std::uint64_t age = (events - done - std::min(i, events - done)) * 30 * k_day_ms;
        event.time_ms = batch.time_ms() - static_cast<TimeMs>(age / events);
        event.received_ms = batch.time_ms();
        event.session_id = fmt::format("session-{}", random.below(events / 5 + 1));
        if (kind == 0) event.order_id = event.event_id;
        event.product_id = fmt::format("product-{}", skewed(random, products));
        const identity::Who who =
            parts.identities->resolve(batch, fmt::format("user-{}", skewed(random, users)), {});
        const std::string key =
            store::hashed_key(parts.database->secret(), "event", "bench", event.event_id);
        const Position position = batch.append(
            {.user = who.user, .visitor = who.user, .source = "bench", .what = std::move(event)});
        batch.put(store::Family::dedupe, key, store::key_of(position));
      }
      return absl::OkStatus();
    });
    must(written.status());
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  const std::string what = argc > 2 ? argv[1] : "";
  if (!(what == "fill" && argc == 6) && !(what == "open" && argc == 3)) {
    fmt::print(stderr, "usage: bench_restart fill FOLDER EVENTS USERS PRODUCTS | open FOLDER\n");
    return 2;
  }
  fmt::print("machine {}\ncommit  {}\n\n", machine(), commit());
  Parts parts(argv[2]);
  if (what == "fill") {
    Stopwatch watch;
    fill(parts, std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10),
         std::strtoull(argv[5], nullptr, 10));
    watch.tell("write");
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{} entries, {} people, {} products; durable checkpoint {}; {} MiB of profiles, {} MiB "
      "at most in all; processor {:.1f} s\n",
      parts.log->last_position(), parts.profiles->size(), parts.numbers.size(),
      parts.checkpointer->last_durable(), parts.profiles->cached_bytes() >> 20,
      usage.ru_maxrss >> 10, static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec));
  std::fflush(stdout);
  std::_Exit(0);
}
