// What segments cost in a data folder: building them, an event, a preview, sizes, members.
//
//   measure_segments FOLDER [SEGMENTS]
//
// The folder is opened for writing, because an older form of profiles is replayed first: give it a
// copy. Nobody else may be busy; the figures are for docs/benchmarks.md.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "benchmarks/support/about.h"
#include "server/events/event_log.h"
#include "server/live_model/live_model.h"
#include "server/recommend/assortment.h"
#include "server/segments/segment_engine.h"

namespace vitrine::segments {
namespace {

using Clock = std::chrono::steady_clock;

// Of the processor: what is measured works on one thread.
double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// Ten kinds, each with a parameter of its own.
std::string expression(std::size_t i) {
  const std::size_t n = 1 + i / 10;
  switch (i % 10) {
    case 0:
      return fmt::format("count(\"view\", \"{}d\") >= 1", 7 * n);
    case 1:
      return fmt::format("sum(\"purchase\", \"90d\") > {}", 20 * n);
    case 2:
      return fmt::format("days_since(user.last_order_at) > {}", 10 * n);
    case 3:
      return fmt::format("count(\"cart_add\", \"{}h\") >= 1 && count(\"purchase\", \"{}h\") == 0",
                         24 * n, 24 * n);
    case 4:
      return fmt::format("user.orders_count >= {} && user.net_spend > 50", n);
    case 5:
      return fmt::format("user.rfm.recency >= {} && user.rfm.monetary >= 3", 1 + n % 5);
    case 6:
      return fmt::format("bucket(\"seed-{}\", 0, 0.5) && user.lifetime_days > 10", n);
    case 7:
      return "user.stage == \"active\" || user.stage == \"new\"";
    case 8:
      return fmt::format("days_since(user.last_seen_at) < {} && user.orders_count == 0", n);
    default:
      return fmt::format("in_segment(\"s{}\") && !in_segment(\"s{}\")", i - 9, i - 1);
  }
}

class Bench {
 public:
  static absl::StatusOr<std::unique_ptr<Bench>> open(const std::string& folder) {
    auto database = store::Database::open(folder + "/store", {});
    if (!database.ok()) return database.status();
    auto bench = std::make_unique<Bench>(*std::move(database));
    if (absl::Status read = bench->read(); !read.ok()) return read;
    return bench;
  }

  explicit Bench(std::unique_ptr<store::Database> database) : database_(std::move(database)) {}

  absl::Status put_all(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::promise<absl::Status> done;
      absl::Status queued = store_->put(
          *committer_,
          {.key = fmt::format("s{}", i), .expression = expression(i), .includes_visitors = true},
          {}, {}, [&](const auto& put) { done.set_value(put.status()); });
      if (!queued.ok()) return queued;
      if (absl::Status put = done.get_future().get(); !put.ok()) return put;
    }
    return absl::OkStatus();
  }

  void measure(std::size_t count) {
    fmt::print("{}, commit {}\n{} people, {} segments\n", machine(), commit(), profiles_->size(),
               count);
    build(count);
    events();
    preview();
    sizes(count);
    list(count);
    filters();
  }

 private:
  absl::Status read() {
    log_ = events::make_local_event_log(*database_);
    catalog_numbers_.emplace(numbers_, *database_);
    if (absl::Status restored =
            events::restore_checkpoint(*database_, log_->last_position(), *catalog_numbers_);
        !restored.ok()) {
      return restored;
    }
    auto identities = identity::IdentityBook::open(*database_);
    if (!identities.ok()) return identities.status();
    identities_ = *std::move(identities);
    auto catalog = catalog::Catalog::open(*database_, numbers_, {});
    if (!catalog.ok()) return catalog.status();
    catalog_ = *std::move(catalog);
    profiles_.emplace(numbers_, *database_, metrics_, profiles::ProfileBook::Options());
    projections_ = {&*catalog_numbers_, &*profiles_};
    checkpointer_.emplace(*database_, projections_, clock_, metrics_, *silence_,
                          events::Checkpointer::Options());
    if (absl::Status replayed =
            events::replay(*log_, *database_, projections_, {}, &*checkpointer_);
        !replayed.ok()) {
      return replayed;
    }
    committer_.emplace(*database_, projections_, clock_, metrics_, *silence_,
                       events::Committer::Options(), &*checkpointer_);
    auto store = SegmentStore::open(*database_);
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    engine_.emplace(SegmentEngine::Parts{.store = *store_,
                                         .changed = changed_,
                                         .profiles = *profiles_,
                                         .identities = *identities_,
                                         .catalog = *catalog_,
                                         .clock = clock_,
                                         .metrics = metrics_,
                                         .log = *silence_});
    return absl::OkStatus();
  }

  void settle() {
    while (engine_->step()) {
    }
  }

  void build(std::size_t count) {
    const auto began = Clock::now();
    const double used = processor_seconds();
    settle();
    const double worked = processor_seconds() - used;
    std::size_t bytes = 0;
    std::size_t members = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto status = engine_->status(fmt::format("s{}", i));
      bytes += status->bytes;
      members += status->size;
    }
    fmt::print(
        "build: {:.2f} s ({:.2f} s of a processor), {} members in all, {:.1f} MiB of members\n",
        seconds_since(began), worked, members, static_cast<double>(bytes) / (1 << 20));
  }

  // People by chance change, each time in rounds of as many as 20 ms bring at 20,000 a second.
  // A view, past the log: only what follows it sees it.
  void happens(UserNumber user) {
    Event event;
    event.type = EventType::view;
    event.event_id = fmt::format("e-{}", profiles_->position());
    event.product_id = numbers_.id_of(ProductNumber(user.value() % 1000));
    event.time_ms = clock_.now_ms();
    LogEntry entry;
    entry.position = profiles_->position() + 1;
    entry.user = user;
    entry.committed_ms = event.time_ms;
    entry.what = std::move(event);
    profiles_->apply(entry);
    changed_.apply(entry);
  }

  void events() {
    constexpr int k_rounds = 50;
    constexpr int k_a_round = 400;
    changed_.begin([] {});
    Random random(1);
    double seconds = 0;
    double used = 0;
    for (int round = 0; round < k_rounds; ++round) {
      for (int i = 0; i < k_a_round; ++i) {
        happens(UserNumber(static_cast<std::uint32_t>(1 + random.below(profiles_->size()))));
      }
      const auto began = Clock::now();
      const double before = processor_seconds();
      engine_->step();
      used += processor_seconds() - before;
      seconds += seconds_since(began);
    }
    constexpr double k_us_each = 1e6 / (k_rounds * k_a_round);
    fmt::print("an event: {:.1f} us ({:.1f} us of a processor) for all memberships of a person\n",
               seconds * k_us_each, used * k_us_each);
  }

  void preview() {
    const auto program =
        compile_for_people("sum(\"purchase\", \"90d\") > 20 && days_since(user.last_order_at) > 3");
    auto began = Clock::now();
    const Preview fast = *engine_->preview(*program, true);
    const double seconds = seconds_since(began);
    began = Clock::now();
    const Preview exact = *engine_->preview_exactly(*program, true);
    fmt::print("preview: {:.1f} ms, {:.0f} [{:.0f}, {:.0f}]; exact: {:.2f} s, {}\n", seconds * 1e3,
               fast.estimate, fast.low, fast.high, seconds_since(began), exact.matched);
  }

  void sizes(std::size_t count) {
    const auto began = Clock::now();
    std::size_t sum = 0;
    for (std::size_t i = 1; i < count; ++i) {
      sum += *engine_->size_of_both("s0", fmt::format("s{}", i));
    }
    fmt::print("overlap: {:.1f} us each ({} in all)\n",
               seconds_since(began) * 1e6 / static_cast<double>(count), sum);
  }

  // Members with their ids, as an export gives them.
  void list(std::size_t count) {
    std::string largest;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key = fmt::format("s{}", i);
      if (engine_->status(key)->size <= size) continue;
      size = engine_->status(key)->size;
      largest = key;
    }
    if (size == 0) return;
    const auto began = Clock::now();
    std::size_t bytes = 0;
    const auto members = engine_->members(largest, UserNumber(0), size);
    for (const UserNumber member : *members) {
      const auto person = identities_->person(member);
      if (person.ok() && *person) bytes += (*person)->user_id.size();
    }
    fmt::print("members: {:.0f} a second with their ids ({} of {}, {} bytes)\n",
               static_cast<double>(size) / seconds_since(began), size, largest, bytes);
  }

  // What a filter of a request costs: asking the columns of the whole catalog at its first use,
  // then its bits. The columns are made before, as a start makes them.
  void filters() {
    const auto catalog = catalog_->current();
    const auto live = std::make_shared<const live_model::LiveModel>();
    const auto prepared = Clock::now();
    const double before = processor_seconds();
    recommend::AssortmentBook book;
    book.prepare(catalog);
    fmt::print("columns: {:.2f} s ({:.2f} s of a processor), {:.1f} MiB\n", seconds_since(prepared),
               processor_seconds() - before,
               static_cast<double>(recommend::ColumnBook().at(catalog)->bytes()) / (1 << 20));
    for (const std::string_view text :
         {"price < 50 && in_stock", "brand == \"brand 7\" || price > 100",
          "price < 50 && user.orders_count == 0"}) {
      const recommend::ProductCondition filter{.expression =
                                                   *recommend::ProductExpression::parse(text)};
      const recommend::ProductCondition none;
      const auto find = [&] {
        return book.find(
            {.category = {}, .market = {}, .request_filter = filter, .placement_filter = none},
            catalog_->numbers(), catalog, live, clock_.now_ms());
      };
      auto began = Clock::now();
      const double used = processor_seconds();
      const auto first = find();
      const double first_used = processor_seconds() - used;
      const double first_seconds = seconds_since(began);
      constexpr int k_times = 1000;
      began = Clock::now();
      for (int i = 0; i < k_times; ++i) find();
      fmt::print(
          "filter {}: {:.1f} ms ({:.1f} ms of a processor) at its first use of {} products, then "
          "{:.2f} us ({} hold)\n",
          text, first_seconds * 1e3, first_used * 1e3, catalog->size(),
          seconds_since(began) * 1e6 / k_times, first->products().count());
    }
  }

  std::unique_ptr<store::Database> database_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Log> silence_ = Log::silent();
  std::unique_ptr<events::EventLog> log_;
  catalog::ProductNumbers numbers_;
  std::optional<catalog::CheckpointedNumbers> catalog_numbers_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::optional<profiles::ProfileBook> profiles_;
  std::vector<events::Projection*> projections_;
  std::optional<events::Checkpointer> checkpointer_;
  std::optional<events::Committer> committer_;
  std::unique_ptr<SegmentStore> store_;
  ChangedPeople changed_;
  std::optional<SegmentEngine> engine_;
};

}  // namespace
}  // namespace vitrine::segments

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: measure_segments FOLDER [SEGMENTS]\n");
    return 2;
  }
  const auto count = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 100);
  const auto bench = vitrine::segments::Bench::open(argv[1]);
  if (!bench.ok()) {
    fmt::print(stderr, "{}\n", bench.status().ToString());
    return 1;
  }
  if (const absl::Status put = (*bench)->put_all(count); !put.ok()) {
    fmt::print(stderr, "{}\n", put.ToString());
    return 1;
  }
  (*bench)->measure(count);
  return 0;
}
