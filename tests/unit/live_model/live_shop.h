// A shop with a real store, catalog and model registry in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/model_registry.h"
#include "server/catalog/catalog.h"
#include "server/catalog/product_numbers.h"
#include "server/events/committer.h"
#include "server/live_model/model_watcher.h"
#include "server/store/database.h"
#include "tests/support/temp_folder.h"

namespace vitrine::live_model {

struct ModelRow {
  std::string product_id;
  float x;
  float y;
};

inline std::shared_ptr<const TrainedModel> model_of(const std::vector<ModelRow>& rows,
                                                    TimeMs created_ms, ContentMap content = {}) {
  std::vector<std::string> ids;
  std::vector<float> factors;
  for (const ModelRow& row : rows) {
    ids.push_back(row.product_id);
    factors.insert(factors.end(), {row.x, row.y});
  }
  FactorParameters parameters;
  parameters.dimension = 2;
  TrainingRecord record;
  record.created_ms = created_ms;
  ModelTables tables;
  tables.products = *ProductTable::create(ids);
  tables.factors = *FactorModel::from_factors(parameters, factors);
  tables.similar = *NeighborTable::create(std::vector<std::vector<RelatedProduct>>(rows.size()));
  tables.together = *NeighborTable::create(std::vector<std::vector<RelatedProduct>>(rows.size()));
  tables.popularity = *PopularityTable::create(std::vector<float>(rows.size(), 1));
  tables.content = std::move(content);
  auto model = TrainedModel::create(std::move(record), std::move(tables));
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

inline Product product_named(const std::string& product_id, std::vector<std::string> categories) {
  Product product;
  product.product_id = product_id;
  product.title = product_id;
  product.categories = std::move(categories);
  return product;
}

class LiveShop : public ::testing::Test {
 protected:
  LiveShop() {
    auto opened = store::Database::open(folder_ / "store", {.min_free_bytes = 0});
    EXPECT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
    catalog_ = *catalog::Catalog::open(*database_, numbers_, {});
    committer_ =
        std::make_unique<events::Committer>(*database_, std::span<events::Projection* const>(),
                                            clock_, metrics_, *log_, events::Committer::Options());
  }
  ~LiveShop() override { committer_->stop(); }

  // Looks at the registry only when asked, unless told otherwise.
  void start_watcher(TimeMs poll_ms = k_hour_ms, ModelWatcher::Early early = {}) {
    watcher_ = std::make_unique<ModelWatcher>(
        registry_, *catalog_, metrics_, *log_,
        ModelWatcher::Options{.poll_ms = poll_ms, .index = {}}, std::move(early));
  }

  // Returns when the change is acknowledged.
  void put(std::vector<Product> products) {
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
  void remove(const std::string& product_id) {
    std::promise<absl::Status> done;
    ASSERT_TRUE(catalog_
                    ->change(
                        *committer_, product_id,
                        [](std::optional<Product>) { return std::optional<Product>(); },
                        [&](absl::StatusOr<std::optional<Product>> outcome) {
                          done.set_value(outcome.status());
                        })
                    .ok());
    const absl::Status status = done.get_future().get();
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string publish(const std::shared_ptr<const TrainedModel>& model) {
    const absl::Status status = registry_.publish(*model, true);
    EXPECT_TRUE(status.ok()) << status;
    return model->version();
  }

  std::shared_ptr<const LiveModel> live() const { return watcher_->current(); }

  std::optional<std::uint32_t> row_of(const LiveModel& live, const std::string& product_id) {
    return live.row_of(numbers_.number_of(product_id));
  }
  bool is_showable(const LiveModel& live, const std::string& product_id) {
    const std::optional<std::uint32_t> row = row_of(live, product_id);
    return row && live.showable().contains(*row);
  }

  // Product ids nearest to one product, as the index finds them without any filter of a request.
  std::vector<std::string> nearest(const LiveModel& live, const std::string& product_id) {
    const auto found = live.index()->search(live.vector(*row_of(live, product_id)), 100,
                                            index::RowFilter::all(live.row_count()));
    EXPECT_TRUE(found.ok()) << found.status();
    std::vector<std::string> ids;
    for (const index::Neighbor& neighbor : *found) {
      ids.emplace_back(numbers_.id_of(live.number_of(neighbor.row)));
    }
    return ids;
  }

  TempFolder folder_;
  FakeClock clock_{1'700'000'000'000};
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<store::Database> database_;
  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_;
  ModelRegistry registry_{folder_ / "models"};
  std::unique_ptr<ModelWatcher> watcher_;
  std::unique_ptr<events::Committer> committer_;
};

}  // namespace vitrine::live_model
