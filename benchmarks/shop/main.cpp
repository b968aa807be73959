// make_shop FOLDER [--products N] [--users N] [--events N] [--dims D] [--visits FILE]: a data
// folder of any size, to measure the server with.
//
// FILE gets bodies of /v1/events for http_load, a visit of ten views a line.
// Catalog, people and events go through the committer into the store, as everything does; the model
// is published and promoted. A folder that is there is left alone when it is what was asked for.
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/status.h"
#include "benchmarks/shop/made_model.h"
#include "benchmarks/shop/made_shop.h"
#include "model/model_registry.h"
#include "server/catalog/catalog.h"
#include "server/events/committer.h"
#include "server/identity/identity_book.h"
#include "server/store/database.h"

namespace vitrine::made_shop {
namespace {

constexpr std::uint32_t k_products_a_batch = 1000;
constexpr std::uint32_t k_events_a_batch = 2000;
constexpr std::uint32_t k_visit_events_max = 8;
constexpr std::uint32_t k_visits = 20'000;
constexpr std::uint32_t k_visit_views = 10;
constexpr TimeMs k_history_ms = 60 * k_day_ms;
constexpr std::array k_kinds = {EventType::view,     EventType::view, EventType::view,
                                EventType::cart_add, EventType::view, EventType::purchase};

struct Wish {
  std::filesystem::path folder;
  std::filesystem::path visits;  // none when empty
  Size size;
  std::uint32_t dimension = 64;

  std::string described() const {
    return fmt::format("{} products x {}, {} users, {} events, seed {}\n", size.products, dimension,
                       size.users, size.events, size.seed);
  }
};

class Progress {
 public:
  Progress(std::string_view what, std::uint64_t whole) : what_(what), whole_(whole) {}
  void at(std::uint64_t done) {
    const std::uint64_t percent = done * 100 / whole_;
    if (percent == shown_) return;
    shown_ = percent;
    fmt::print(stderr, "\r{}: {} of {} ({} %)", what_, done, whole_, percent);
    if (done == whole_) fmt::print(stderr, ", {:.1f} s\n", seconds());
  }

 private:
  double seconds() const { return static_cast<double>(steady_us() - begun_us_) * 1e-6; }

  std::string what_;
  std::uint64_t whole_;
  std::uint64_t shown_ = 101;
  std::int64_t begun_us_ = steady_us();
};

// Fills a new store.
class Filler {
 public:
  Filler(const Shop& shop, const std::filesystem::path& folder)
      : shop_(shop),
        database_(*store::Database::open(folder, {})),
        identities_(*identity::IdentityBook::open(*database_)),
        catalog_(*catalog::Catalog::open(*database_, numbers_, {})) {}
  ~Filler() { committer_.stop(); }

  void stock() {
    const std::uint32_t products = shop_.size().products;
    Progress progress("products", products);
    for (std::uint32_t first = 0; first < products; first += k_products_a_batch) {
      const std::uint32_t end = std::min(products, first + k_products_a_batch);
      std::vector<Product> batch;
      for (std::uint32_t number = first; number < end; ++number) {
        batch.push_back(shop_.product(number));
      }
      std::promise<absl::Status> done;
      const absl::Status asked =
          catalog_->upsert(committer_, std::move(batch),
                           [&](const auto& outcome) { done.set_value(outcome.status()); });
      CHECK(asked.ok() && done.get_future().get().ok(), "the products are durable");
      progress.at(end);
    }
  }

  // Everybody comes once, in any order, then some come more often than others.
  void live() {
    const std::uint32_t events = shop_.size().events;
    Progress progress("events", events);
    while (event_ < events) {
      const std::uint32_t end = std::min(events, event_ + k_events_a_batch);
      const auto committed = committer_.submit_and_wait([&](events::Batch& batch) {
        while (event_ < end) live_one(batch);
        return absl::OkStatus();
      });
      CHECK(committed.ok(), "the events are durable");
      progress.at(event_);
    }
  }

 private:
  void begin_visit() {
    const std::uint32_t users = shop_.size().users;
    // A step without a common divisor reaches everybody.
    user_ = visit_ < users
                ? static_cast<std::uint32_t>(std::uint64_t{visit_} * 1'000'003 % users)
                : static_cast<std::uint32_t>(chance_.uniform() * chance_.uniform() * users);
    ++visit_;
    left_ = 1 + static_cast<std::uint32_t>(chance_.below(k_visit_events_max));
  }

  void live_one(events::Batch& batch) {
    if (left_ == 0) begin_visit();
    --left_;
    Event event;
    event.event_id = fmt::format("made-{}", event_);
    event.type = k_kinds[chance_.below(k_kinds.size())];
    event.time_ms = begin_ms_ + k_history_ms * event_ / shop_.size().events;
    event.received_ms = event.time_ms;
    event.session_id = fmt::format("visit-{}", visit_);
    if (event.type == EventType::purchase) event.order_id = event.session_id;
    event.product_id = product_id(shop_.next_product(user_, chance_));
    LogEntry entry;
    entry.user = identities_->resolve(batch, user_id(user_), {}).user;
    entry.source = "benchmark";
    entry.what = std::move(event);
    batch.append(std::move(entry));
    ++event_;
  }

  const Shop& shop_;
  Random chance_{shop_.size().seed};
  std::uint32_t event_ = 0;
  std::uint32_t visit_ = 0;
  std::uint32_t left_ = 0;  // events of this visit
  std::uint32_t user_ = 0;
  SystemClock clock_;
  TimeMs begin_ms_ = clock_.now_ms() - k_history_ms;
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<store::Database> database_;
  catalog::ProductNumbers numbers_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<catalog::Catalog> catalog_;
  // No projections: the server makes its own from the log.
  events::Committer committer_{*database_, {}, clock_, metrics_, *log_, {}};
};

absl::Status make(const Wish& wish) {
  const std::filesystem::path mark = wish.folder / "made_shop.txt";
  if (const auto made = read_file(mark); made.ok() && *made == wish.described()) {
    fmt::print("{}: {}", wish.folder.string(), wish.described());
    return absl::OkStatus();
  }
  const std::filesystem::path filled = wish.folder / "filled_store.txt";
  const auto half_made = read_file(filled);
  const bool is_filled = half_made.ok() && *half_made == wish.described();
  if (std::filesystem::exists(wish.folder) && !is_filled) {
    return failed_precondition("{} holds something else: remove it first", wish.folder.string());
  }
  std::filesystem::create_directories(wish.folder);
  const Shop shop(wish.size);
  if (!is_filled) {
    Filler filler(shop, wish.folder / "store");
    filler.stock();
    filler.live();
  }
  VITRINE_RETURN_IF_ERROR(write_file_synced(filled, wish.described()));
  fmt::print(stderr, "model\n");
  VITRINE_RETURN_IF_ERROR(
      ModelRegistry(wish.folder / "models").publish(*make_model(shop, wish.dimension), true));
  VITRINE_RETURN_IF_ERROR(write_file_synced(mark, wish.described()));
  fmt::print("{}: {}", wish.folder.string(), wish.described());
  return absl::OkStatus();
}

// Each line stands for as many visits as it is sent: {id} and {user} differ every time.
absl::Status write_visits(const Shop& shop, const std::filesystem::path& file) {
  if (file.empty() || std::filesystem::exists(file)) return absl::OkStatus();
  Random chance{shop.size().seed + 1};
  std::string lines;
  for (std::uint32_t visit = 0; visit < k_visits; ++visit) {
    const auto user = static_cast<std::uint32_t>(chance.below(shop.size().users));
    lines += R"({"events":[)";
    for (std::uint32_t view = 0; view < k_visit_views; ++view) {
      const std::string product = product_id(shop.next_product(user, chance));
      if (view > 0) lines += ',';
      lines += fmt::format(
          R"({{"event_id":"{{id}}-{}","type":"view","user_id":"{{user}}","session_id":"{{id}}","product_id":"{}"}})",
          view, product);
    }
    lines += "]}\n";
  }
  return write_file_synced(file, lines);
}

absl::StatusOr<Wish> parse(std::span<char* const> arguments) {
  constexpr std::string_view k_usage =
      "make_shop FOLDER [--products N] [--users N] [--events N] [--dims D] [--seed N] "
      "[--visits FILE]";
  Wish wish;
  std::uint32_t seed = 1;
  const std::pair<std::string_view, std::uint32_t*> numbers[] = {
      {"--products", &wish.size.products},
      {"--users", &wish.size.users},
      {"--events", &wish.size.events},
      {"--dims", &wish.dimension},
      {"--seed", &seed}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--visits" && i + 1 < arguments.size()) {
      wish.visits = arguments[++i];
      continue;
    }
    const auto* const known = std::ranges::find(numbers, argument, [](auto& n) { return n.first; });
    if (known == std::end(numbers) && argument.starts_with("--")) {
      return invalid_argument("there is no option {}\n{}", argument, k_usage);
    }
    if (known == std::end(numbers)) {
      wish.folder = argument;
      continue;
    }
    const std::string_view value = i + 1 < arguments.size() ? arguments[++i] : "";
    const auto read = std::from_chars(value.data(), value.data() + value.size(), *known->second);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size() || *known->second == 0) {
      return invalid_argument("{} must be a positive number, got '{}'", argument, value);
    }
  }
  if (wish.folder.empty()) return invalid_argument("a folder is needed\n{}", k_usage);
  wish.size.seed = seed;
  return wish;
}

}  // namespace
}  // namespace vitrine::made_shop

int main(int argc, char** argv) {
  const auto wish = vitrine::made_shop::parse(
      std::span<char* const>(argv + 1, static_cast<std::size_t>(argc - 1)));
  absl::Status status = wish.ok() ? vitrine::made_shop::make(*wish) : wish.status();
  if (status.ok()) {
    status = vitrine::made_shop::write_visits(vitrine::made_shop::Shop(wish->size), wish->visits);
  }
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", vitrine::message_of(status));
  return 1;
}
