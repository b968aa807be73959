// A small shop with everything real but the network: store, committer, identities, catalog, books,
// and a model made by hand.
//
// 4 shelves of 12 products. Products of one shelf have factors near each other; the neighbours of a
// product are its shelf. "Kitchen-3" is in "Kitchen", the first half of a shelf also deeper, in
// "Kitchen > Small".
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/published.h"
#include "base/random.h"
#include "server/live_model/live_model_builder.h"
#include "server/recommend/recommender.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::recommend {

constexpr std::array<std::string_view, 4> k_shelves = {"Kitchen", "Garden", "Toys", "Paper"};
constexpr std::uint32_t k_shelf_products = 12;

inline std::string product_id(std::string_view shelf, std::uint32_t i) {
  return std::string(shelf) + "-" + std::to_string(i);
}
inline std::string_view shelf_of(std::string_view id) { return id.substr(0, id.find('-')); }

inline Product make_product(std::string id, std::string category) {
  Product product;
  product.title = "The " + id;
  product.product_id = std::move(id);
  if (!category.empty()) product.categories.push_back(std::move(category));
  return product;
}

inline std::vector<Product> shelf_products() {
  std::vector<Product> products;
  for (const std::string_view shelf : k_shelves) {
    for (std::uint32_t i = 0; i < k_shelf_products; ++i) {
      const bool is_small = i < k_shelf_products / 2;
      products.push_back(
          make_product(product_id(shelf, i), std::string(shelf) + (is_small ? " > Small" : "")));
    }
  }
  return products;
}

// A live model that follows the catalog, without a registry and its files.
class HandMadeModel final : public live_model::LiveModelSource {
 public:
  std::shared_ptr<const live_model::LiveModel> current() const override { return live_.current(); }

  void use(std::shared_ptr<const TrainedModel> model, const catalog::Catalog& catalog) {
    use(*live_model::index_model(std::move(model)), catalog);
  }
  void use(live_model::IndexedModel indexed, const catalog::Catalog& catalog) {
    builder_ =
        live_model::LiveModelBuilder::of(std::move(indexed), catalog.numbers(), *catalog.current());
    live_.publish(builder_->current());
  }
  void follow(const catalog::CatalogSnapshot& catalog, std::span<const ProductNumber> changed) {
    if (!builder_) return;
    builder_->apply(catalog, changed);
    live_.publish(builder_->current());
  }

 private:
  std::optional<live_model::LiveModelBuilder> builder_;
  Published<live_model::LiveModel> live_{std::make_shared<const live_model::LiveModel>()};
};

// The two later tables are taken over as they are.
inline std::shared_ptr<const TrainedModel> shelf_model(BuyAgainTable buy_again = {},
                                                       BlendTable blends = {}) {
  constexpr std::uint32_t k_dimension = 8;
  Random random(3);
  std::vector<std::string> ids;
  std::vector<float> factors;
  std::vector<std::vector<RelatedProduct>> similar;
  std::vector<std::vector<RelatedProduct>> together;
  for (std::uint32_t shelf = 0; shelf < k_shelves.size(); ++shelf) {
    for (std::uint32_t i = 0; i < k_shelf_products; ++i) {
      ids.push_back(product_id(k_shelves[shelf], i));
      for (std::uint32_t d = 0; d < k_dimension; ++d) {
        factors.push_back((d == shelf ? 0.8F : 0.0F) + static_cast<float>(random.normal()) * 0.05F);
      }
      // Bought with the next two of the shelf; similar to all of it.
      std::vector<RelatedProduct>& bonds = together.emplace_back();
      std::vector<RelatedProduct>& likes = similar.emplace_back();
      for (std::uint32_t step = 1; step < k_shelf_products; ++step) {
        const std::uint32_t row = shelf * k_shelf_products + (i + step) % k_shelf_products;
        const float score = 1.0F / static_cast<float>(step);
        likes.push_back({.row = row, .score = score, .lift = 0, .support = 0});
        if (step <= 2) bonds.push_back({.row = row, .score = score, .lift = 2, .support = 5});
      }
    }
  }
  FactorParameters parameters;
  parameters.dimension = k_dimension;
  TrainingRecord record;
  record.created_ms = 1'600'000'000'000;
  record.confidence = ConfidenceRule::defaults();
  ModelTables tables;
  tables.products = *ProductTable::create(ids);
  tables.factors = *FactorModel::from_factors(parameters, factors);
  tables.similar = *NeighborTable::create(similar);
  tables.together = *NeighborTable::create(together);
  tables.popularity = *PopularityTable::create(std::vector<float>(ids.size(), 1));
  tables.buy_again = std::move(buy_again);
  tables.blends = std::move(blends);
  auto model = TrainedModel::create(std::move(record), std::move(tables));
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

struct Deed {
  std::string user_id = {};
  std::string visitor_id = {};
  EventType type = EventType::view;
  std::string product_id = {};
  TimeMs age_ms = 0;
  std::string session_id = {};
  std::string order_id = {};
};

class Shop : public ::testing::Test {
 protected:
  // So long that no machine is late unless a test says so.
  static constexpr TimeMs k_deadline_ms = k_minute_ms;

  Shop() {
    database_ = open_store(folder_ / "store");
    identities_ = *identity::IdentityBook::open(*database_);
    catalog_ = *catalog::Catalog::open(*database_, numbers_, {});
    catalog_->on_change(
        [this](const std::shared_ptr<const catalog::CatalogSnapshot>& snapshot,
               std::span<const ProductNumber> changed) { model_.follow(*snapshot, changed); });
    committer_ = std::make_unique<events::Committer>(
        *database_, std::span<events::Projection* const>(projections_), clock_, metrics_, *log_,
        events::Committer::Options());
    recommender_.emplace(Recommender::Parts{.identities = *identities_,
                                            .profiles = profiles_,
                                            .popularity = popularity_,
                                            .sessions = sessions_,
                                            .catalog = *catalog_,
                                            .live_model = model_,
                                            .clock = clock_,
                                            .metrics = metrics_,
                                            .deadline_ms = k_deadline_ms},
                         PlacementBook::shipped());
  }
  ~Shop() override { committer_->stop(); }

  void open_shelves() {
    stock(shelf_products());
    model_.use(shelf_model(), *catalog_);
  }

  void stock(std::vector<Product> products) {
    std::promise<absl::Status> done;
    ASSERT_TRUE(catalog_
                    ->upsert(*committer_, std::move(products),
                             [&](absl::StatusOr<catalog::UpsertOutcome> outcome) {
                               done.set_value(outcome.status());
                             })
                    .ok());
    const absl::Status status = done.get_future().get();
    ASSERT_TRUE(status.ok()) << status;
  }

  // All in one batch; durable and visible when it returns.
  void happen(const std::vector<Deed>& deeds) {
    const auto position = committer_->submit_and_wait([&](events::Batch& batch) {
      for (const Deed& deed : deeds) append(deed, batch);
      return absl::OkStatus();
    });
    ASSERT_TRUE(position.ok()) << position.status();
  }
  void visitor_views(const std::string& visitor_id, const std::string& id) {
    happen({{.visitor_id = visitor_id, .product_id = id}});
  }

  void change_placement(const std::string& name, const std::function<void(Placement&)>& change) {
    const auto book = recommender_->placements();
    Placement placement = *book->find(name);
    change(placement);
    ASSERT_TRUE(validate(placement).ok()) << validate(placement);
    recommender_->use(book->with(std::move(placement)));
  }

  RecommendAnswer ask(const RecommendRequest& request) {
    auto answer = recommender_->recommend(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *std::move(answer) : RecommendAnswer{};
  }
  RecommendAnswer home_of_visitor(const std::string& visitor_id, std::size_t limit = 12) {
    RecommendRequest request;
    request.visitor_id = visitor_id;
    request.limit = limit;
    return ask(request);
  }

  static std::vector<std::string> ids(const RecommendAnswer& answer) {
    std::vector<std::string> ids;
    for (const RecommendedProduct& product : answer.products) ids.push_back(product.product_id);
    return ids;
  }
  static bool names(const RecommendAnswer& answer, std::string_view id) {
    for (const RecommendedProduct& product : answer.products) {
      if (product.reason.product_id == id) return true;
    }
    return false;
  }
  static std::size_t removed(const RecommendAnswer& answer, std::string_view stage) {
    for (const Removed& entry : answer.removed) {
      if (entry.stage == stage) return entry.count;
    }
    return 0;
  }

  TempFolder folder_;
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
  HandMadeModel model_;
  std::unique_ptr<events::Committer> committer_;
  std::optional<Recommender> recommender_;

 private:
  void append(const Deed& deed, events::Batch& batch) {
    const identity::Who who = identities_->resolve(batch, deed.user_id, deed.visitor_id);
    Event event;
    event.event_id = "e-" + std::to_string(++events_);
    event.type = deed.type;
    event.time_ms = clock_.now_ms() - deed.age_ms;
    event.product_id = deed.product_id;
    event.session_id = deed.session_id;
    event.order_id = deed.order_id;
    LogEntry entry;
    entry.user = who.user;
    entry.visitor = who.visitor;
    entry.source = "test";
    entry.what = std::move(event);
    batch.append(std::move(entry));
  }

  int events_ = 0;  // the committer thread's own
};

}  // namespace vitrine::recommend
