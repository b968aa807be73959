// One answer at a time on one thread: the whole pipeline behind the API, without HTTP.
//
//   bench_recommend [products] [users]     3823 products (examples/online_retail) and 4000 users
//
// Data: 64 normal factors a product around 50 shelves, 60 events a user on three shelves, seed 1;
// and a wholesaler, who bought 4000 times in a year all over the shop. The model has a learnt blend
// for `home`, of every source and feature; "hand-set weights" is the same placement without it.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "benchmarks/support/about.h"
#include "server/live_model/live_model_builder.h"
#include "server/recommend/features.h"
#include "server/recommend/recommender.h"

namespace vitrine::recommend {
namespace {

constexpr std::uint32_t k_dimension = 64;
constexpr std::uint32_t k_shelves = 50;
constexpr std::size_t k_neighbors = 50;
constexpr int k_events = 60;  // a user
constexpr int k_wholesale_events = 4000;
constexpr int k_answers = 20'000;
constexpr std::string_view k_wholesaler = "wholesaler";

// What it says does not matter, only that every input is asked for.
BlendTable made_blends() {
  BlendOfPlacement home{.bias = -4, .sources = {}, .depths = {}, .features = {}};
  const PlacementBook book = PlacementBook::shipped();
  for (const SourceWeight& weighted : book.find("home")->sources) {
    home.sources[weighted.source] = weighted.weight;
    home.depths[weighted.source] = 0.1F;
  }
  for (const std::string_view feature : k_feature_names) home.features[std::string(feature)] = 0.1F;
  return *BlendTable::create({{"home", std::move(home)}});
}

PlacementBook placements() {
  PlacementBook book = PlacementBook::shipped();
  Placement by_hand = *book.find("home");
  by_hand.name = "home_by_hand";
  by_hand.uses_blend = false;
  return book.with(std::move(by_hand));
}

std::string product_id(std::uint64_t product) { return fmt::format("p{}", product); }

std::shared_ptr<const TrainedModel> make_model(std::uint32_t products) {
  Random random(1);
  std::vector<std::string> ids;
  std::vector<float> factors;
  std::vector<std::vector<RelatedProduct>> related(products);
  for (std::uint32_t row = 0; row < products; ++row) {
    ids.push_back(product_id(row));
    for (std::uint32_t d = 0; d < k_dimension; ++d) {
      const double shelf = d == row % k_shelves ? 0.8 : 0;
      factors.push_back(static_cast<float>(shelf + 0.1 * random.normal()));
    }
    for (std::size_t i = 0; i < k_neighbors; ++i) {
      const auto other = static_cast<std::uint32_t>((row + (i + 1) * k_shelves) % products);
      if (other == row) continue;
      related[row].push_back(
          {.row = other, .score = 1.0F / static_cast<float>(i + 1), .lift = 0, .support = 0});
    }
  }
  FactorParameters parameters;
  parameters.dimension = k_dimension;
  TrainingRecord record;
  record.confidence = ConfidenceRule::defaults();
  ModelTables tables;
  tables.products = *ProductTable::create(ids);
  tables.factors = *FactorModel::from_factors(parameters, factors);
  tables.similar = *NeighborTable::create(related);
  tables.together = *NeighborTable::create(related);
  tables.popularity = *PopularityTable::create(std::vector<float>(products, 1));
  tables.blends = made_blends();
  return *TrainedModel::create(std::move(record), std::move(tables));
}

class OneModel final : public live_model::LiveModelSource {
 public:
  explicit OneModel(std::shared_ptr<const live_model::LiveModel> model)
      : model_(std::move(model)) {}
  std::shared_ptr<const live_model::LiveModel> current() const override { return model_; }

 private:
  std::shared_ptr<const live_model::LiveModel> model_;
};

class BenchmarkShop {
 public:
  BenchmarkShop(const std::filesystem::path& folder, std::uint32_t products, std::uint32_t users)
      : products_(products),
        users_(users),
        database_(*store::Database::open(folder, {.min_free_bytes = 0})),
        identities_(*identity::IdentityBook::open(*database_)),
        catalog_(*catalog::Catalog::open(*database_, numbers_, {})) {
    stock();
    live();
    model_ = std::make_unique<OneModel>(
        live_model::LiveModelBuilder::create(make_model(products), numbers_, *catalog_->current())
            ->current());
    recommender_ = std::make_unique<Recommender>(
        Recommender::Parts{*identities_, profiles_, popularity_, sessions_, *catalog_, *model_,
                           clock_, metrics_},
        placements());
  }
  ~BenchmarkShop() { committer_.stop(); }

  enum class Who { anybody, stranger, wholesaler };

  void measure(const std::string& what, const RecommendRequest& pattern, Who who) {
    std::vector<std::int64_t> times_us;
    RecommendRequest request = pattern;
    for (int i = 0; i < k_answers; ++i) {
      request.user_id = id_of(who);
      if (!pattern.product_id.empty()) request.product_id = product_id(random_.below(products_));
      for (std::string& id : request.cart) id = product_id(random_.below(products_));
      const auto answer = recommender_->recommend(request);
      CHECK(answer.ok() && answer->products.size() == request.limit, "a full answer");
      times_us.push_back(answer->total_us);
    }
    std::ranges::sort(times_us);
    const auto share = [&](double of) {
      return times_us[static_cast<std::size_t>(of * static_cast<double>(times_us.size() - 1))];
    };
    fmt::print("{:<44}{:>8}{:>8}{:>8}\n", what, share(0.5), share(0.9), share(0.99));
  }

 private:
  static std::string user_id(std::uint64_t user) { return fmt::format("u{}", user); }
  std::string id_of(Who who) {
    switch (who) {
      case Who::anybody:
        return user_id(random_.below(users_));
      case Who::stranger:
        return "a stranger";
      case Who::wholesaler:
        return std::string(k_wholesaler);
    }
    return {};
  }

  void stock() {
    std::vector<Product> products;
    for (std::uint32_t i = 0; i < products_; ++i) {
      Product product;
      product.product_id = product_id(i);
      product.title = fmt::format("PRODUCT NUMBER {}", i);
      product.categories = {fmt::format("Shelf {} > Board {}", i % k_shelves, i % 7)};
      products.push_back(std::move(product));
    }
    std::promise<absl::Status> done;
    const absl::Status asked =
        catalog_->upsert(committer_, std::move(products),
                         [&](const auto& outcome) { done.set_value(outcome.status()); });
    CHECK(asked.ok() && done.get_future().get().ok(), "the shelves are filled");
  }

  void live() {
    constexpr std::uint32_t k_users_a_batch = 50;
    for (std::uint32_t first = 0; first < users_; first += k_users_a_batch) {
      const auto committed = committer_.submit_and_wait([&](events::Batch& batch) {
        for (std::uint32_t user = first; user < std::min(users_, first + k_users_a_batch); ++user) {
          live_one(user, batch);
        }
        return absl::OkStatus();
      });
      CHECK(committed.ok(), "the events are durable");
    }
    const auto bought = committer_.submit_and_wait([&](events::Batch& batch) {
      for (int i = 0; i < k_wholesale_events; ++i) buy_wholesale(i, batch);
      return absl::OkStatus();
    });
    CHECK(bought.ok(), "the orders are durable");
  }

  void buy_wholesale(int number, events::Batch& batch) {
    constexpr int k_lines_an_order = 40;
    Event event;
    event.event_id = fmt::format("w-{}", number);
    event.type = EventType::purchase;
    event.order_id = fmt::format("order-{}", number / k_lines_an_order);
    event.time_ms =
        clock_.now_ms() - (k_wholesale_events - number) / k_lines_an_order * 87 * k_hour_ms;
    event.product_id = product_id(random_.below(products_));
    LogEntry entry;
    entry.user = identities_->resolve(batch, std::string(k_wholesaler), {}).user;
    entry.source = "benchmark";
    entry.what = std::move(event);
    batch.append(std::move(entry));
  }

  void live_one(std::uint32_t user, events::Batch& batch) {
    for (int i = 0; i < k_events; ++i) {
      Event event;
      event.event_id = fmt::format("{}-{}", user, i);
      event.type =
          std::array{EventType::view, EventType::purchase, EventType::cart_add}[random_.below(3)];
      event.time_ms = clock_.now_ms() - static_cast<TimeMs>(random_.below(100)) * k_hour_ms;
      const std::uint64_t shelf = (user + random_.below(3) * 17) % k_shelves;
      event.product_id =
          product_id((shelf + k_shelves * random_.below(products_ / k_shelves)) % products_);
      LogEntry entry;
      entry.user = identities_->resolve(batch, user_id(user), {}).user;
      entry.source = "benchmark";
      entry.what = std::move(event);
      batch.append(std::move(entry));
    }
  }

  const std::uint32_t products_;
  const std::uint32_t users_;
  Random random_{1};
  FakeClock clock_{1'790'000'000'000};
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<store::Database> database_;
  catalog::ProductNumbers numbers_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<catalog::Catalog> catalog_;
  profiles::ProfileBook profiles_{numbers_};
  profiles::PopularityBook popularity_{numbers_};
  profiles::SessionBook sessions_{numbers_};
  std::array<events::Projection*, 3> projections_{&profiles_, &popularity_, &sessions_};
  events::Committer committer_{*database_, projections_, clock_, metrics_, *log_, {}};
  std::unique_ptr<OneModel> model_;
  std::unique_ptr<Recommender> recommender_;
};

void run(std::uint32_t products, std::uint32_t users) {
  std::string folder = (std::filesystem::temp_directory_path() / "vitrine-bench-XXXXXX").string();
  CHECK(::mkdtemp(folder.data()) != nullptr, "a temporary folder can be made");
  {
    BenchmarkShop shop(folder, products, users);
    fmt::print(
        "{}, commit {}\n{} products x {}, {} users with {} events, one thread, {} answers\n\n",
        machine(), commit(), products, k_dimension, users, k_events, k_answers);
    fmt::print("{:<44}{:>8}{:>8}{:>8}\n", "one answer, microseconds", "p50", "p90", "p99");
    using Who = BenchmarkShop::Who;
    shop.measure("home, known user, 12", {.limit = 12}, Who::anybody);
    shop.measure("home, known user, 12, hand-set weights",
                 {.placement = "home_by_hand", .limit = 12}, Who::anybody);
    shop.measure("home, known user, 100", {.limit = 100}, Who::anybody);
    shop.measure("home, known user, one category", {.category = "Shelf 3", .limit = 12},
                 Who::anybody);
    shop.measure("home, stranger", {.limit = 12}, Who::stranger);
    shop.measure("home, wholesaler", {.limit = 12}, Who::wholesaler);
    shop.measure("home, wholesaler, hand-set weights", {.placement = "home_by_hand", .limit = 12},
                 Who::wholesaler);
    shop.measure("product_page, known user",
                 {.placement = "product_page", .product_id = "p0", .limit = 12}, Who::anybody);
    shop.measure("cart of 5, known user",
                 {.placement = "cart", .cart = std::vector<std::string>(5), .limit = 12},
                 Who::anybody);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vitrine::recommend

int main(int argc, char** argv) {
  const auto number = [&](int at, std::uint32_t otherwise) {
    return argc > at ? static_cast<std::uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
  };
  vitrine::recommend::run(std::max(number(1, 3823), 1000U), std::max(number(2, 4000), 1U));
}
