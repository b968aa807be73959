#include "server/live_model/model_watcher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "tests/unit/live_model/live_shop.h"

namespace vitrine::live_model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModelWatcherTest : public LiveShop {
 protected:
  // Flips one byte in the middle of the version's largest file and returns the way back.
  std::function<void()> damage(const std::string& version) {
    std::filesystem::path largest;
    for (const auto& entry : std::filesystem::directory_iterator(registry_.folder_of(version))) {
      if (entry.path().extension() == ".json") continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) {
        largest = entry.path();
      }
    }
    const std::string intact = *read_file(largest);
    std::string damaged = intact;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    EXPECT_TRUE(replace_file(largest, damaged).ok());
    return [largest, intact] { EXPECT_TRUE(replace_file(largest, intact).ok()); };
  }

  const std::vector<ModelRow> rows_ = {{"cake-stand", 3, 0}, {"teapot", 2, 1}, {"ball", 0, 2}};
};

TEST_F(ModelWatcherTest, HasNoRowsWithoutAModel) {
  start_watcher();

  EXPECT_EQ(live()->model(), nullptr);
  EXPECT_EQ(live()->index(), nullptr);
  EXPECT_EQ(live()->version(), "");
  EXPECT_EQ(live()->row_count(), 0U);
  EXPECT_EQ(row_of(*live(), "teapot"), std::nullopt);
  EXPECT_EQ(*watcher_->refresh_and_wait(), "");
}

TEST_F(ModelWatcherTest, StartsWithThePromotedVersion) {
  const std::string version = publish(model_of(rows_, 1));

  start_watcher();

  EXPECT_EQ(live()->version(), version);
  ASSERT_EQ(live()->row_count(), 3U);
  for (std::uint32_t row = 0; row < 3; ++row) {
    EXPECT_EQ(numbers_.id_of(live()->number_of(row)), live()->model()->products().id(row));
    EXPECT_EQ(live()->row_of(live()->number_of(row)), row);
  }
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre("cake-stand", "teapot", "ball"));
}

TEST_F(ModelWatcherTest, TakesTheModelThatWasBegunEarly) {
  const std::string version = publish(model_of(rows_, 1));
  auto early = ModelWatcher::begin_early(registry_);
  early.model.wait();
  damage(version);  // nobody reads it again

  start_watcher(k_hour_ms, std::move(early));

  EXPECT_EQ(live()->version(), version);
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre("cake-stand", "teapot", "ball"));
}

TEST_F(ModelWatcherTest, LeavesAModelBegunEarlyWhenAnotherWasPromotedSince) {
  publish(model_of(rows_, 1));
  auto early = ModelWatcher::begin_early(registry_);
  const std::string second = publish(model_of({{"ball", 1, 0}}, 2000));

  start_watcher(k_hour_ms, std::move(early));

  EXPECT_EQ(live()->version(), second);
  EXPECT_EQ(live()->row_count(), 1U);
}

TEST_F(ModelWatcherTest, ADamagedModelThatWasBegunEarlyIsRefused) {
  damage(publish(model_of(rows_, 1)));

  start_watcher(k_hour_ms, ModelWatcher::begin_early(registry_));

  EXPECT_EQ(live()->model(), nullptr);
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_live_model_loads_total{result=\"refused\"} 1"));
}

TEST_F(ModelWatcherTest, FollowsPromotionAndRollback) {
  const std::string first = publish(model_of(rows_, 1));
  start_watcher();
  const std::string second = publish(model_of({{"ball", 1, 0}}, 2000));
  EXPECT_EQ(live()->version(), first);

  EXPECT_EQ(*watcher_->refresh_and_wait(), second);
  EXPECT_EQ(live()->version(), second);
  EXPECT_EQ(live()->row_count(), 1U);
  EXPECT_EQ(row_of(*live(), "teapot"), std::nullopt);

  ASSERT_TRUE(registry_.rollback().ok());
  EXPECT_EQ(*watcher_->refresh_and_wait(), first);
  EXPECT_EQ(live()->row_count(), 3U);
}

TEST_F(ModelWatcherTest, NoticesAPromotionByItself) {
  start_watcher(10);
  const std::string version = publish(model_of(rows_, 1));

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (live()->version() != version && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(live()->version(), version);
}

TEST_F(ModelWatcherTest, RefusesADamagedVersionAndKeepsTheOldOne) {
  const std::string good = publish(model_of(rows_, 1));
  start_watcher();
  const std::string bad = publish(model_of({{"ball", 1, 0}, {"teapot", 0, 1}}, 2000));
  const auto repair = damage(bad);

  const auto refused = watcher_->refresh_and_wait();

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(live()->version(), good);
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_live_model_loads_total{result=\"refused\"} 1"));

  repair();
  EXPECT_EQ(*watcher_->refresh_and_wait(), bad) << "asking again tries again";
  EXPECT_EQ(live()->version(), bad);
}

TEST_F(ModelWatcherTest, ServesWithoutAModelWhenTheOnlyOneIsDamaged) {
  damage(publish(model_of(rows_, 1)));

  start_watcher();

  EXPECT_EQ(live()->model(), nullptr);
  EXPECT_EQ(watcher_->refresh_and_wait().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ModelWatcherTest, ShowsEveryRowWhileTheCatalogIsEmpty) {
  publish(model_of(rows_, 1));
  start_watcher();
  EXPECT_EQ(live()->showable().count(), 3U);

  put({product_named("teapot", {})});
  EXPECT_THAT(nearest(*live(), "teapot"), ElementsAre("teapot"))
      << "the others are not in the catalog";

  remove("teapot");
  EXPECT_EQ(live()->showable().count(), 3U);
}

TEST_F(ModelWatcherTest, TakesAwayWhatIsHiddenOutOfStockOrRemovedAndBringsItBack) {
  publish(model_of(rows_, 1));
  put({product_named("cake-stand", {}), product_named("teapot", {}), product_named("ball", {})});
  start_watcher();
  const auto before = live();
  Product hidden = product_named("cake-stand", {});
  hidden.hidden = true;
  Product sold_out = product_named("teapot", {});
  sold_out.in_stock = false;

  put({hidden});
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre("teapot", "ball"));
  put({sold_out});
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre("ball"));
  remove("ball");
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre());
  EXPECT_EQ(live()->showable().count(), 0U);

  put({product_named("cake-stand", {}), product_named("teapot", {}), product_named("ball", {})});
  EXPECT_THAT(nearest(*live(), "cake-stand"), ElementsAre("cake-stand", "teapot", "ball"));
  EXPECT_EQ(before->showable().count(), 3U) << "a published value never changes";
}

TEST_F(ModelWatcherTest, PlacesANewProductAmongThoseOfItsDeepestCategory) {
  publish(model_of(rows_, 1));
  put({product_named("cake-stand", {"Home > Kitchen"}), product_named("teapot", {"Home > Kitchen"}),
       product_named("ball", {"Toys"})});
  start_watcher();

  put({product_named("tray", {"Toys", "Home > Kitchen"})});

  const std::optional<std::uint32_t> row = row_of(*live(), "tray");
  ASSERT_EQ(row, 3U);
  EXPECT_EQ(numbers_.id_of(live()->number_of(3)), "tray");
  for (std::size_t i = 0; i < 2; ++i) {
    const float mean = (live()->vector(*row_of(*live(), "cake-stand"))[i] +
                        live()->vector(*row_of(*live(), "teapot"))[i]) /
                       2;
    EXPECT_NEAR(live()->vector(*row)[i], mean, 1e-6);
  }
  EXPECT_THAT(nearest(*live(), "ball"), ElementsAre("ball", "teapot", "tray", "cake-stand"));
}

TEST_F(ModelWatcherTest, PlacesANewProductByWhatItIsBeforeItsCategoryIsAsked) {
  ContentMap content = ContentMap::create(ContentFeatures::create({"term:round"}, {1}, {}).value(),
                                          {0, 0.5F}, {0.25F, 4})
                           .value();
  publish(model_of(rows_, 1, std::move(content)));
  put({product_named("cake-stand", {"Home > Kitchen"})});
  start_watcher();

  Product bowl = product_named("bowl", {"Home > Kitchen"});
  bowl.title = "A round bowl";
  put({bowl, product_named("tray", {"Home > Kitchen"})});

  const std::span<const float> vector = live()->vector(row_of(*live(), "bowl").value());
  EXPECT_THAT(std::vector(vector.begin(), vector.end()), ElementsAre(0.25F, 4.5F));
  const std::span<const float> tray = live()->vector(row_of(*live(), "tray").value());
  EXPECT_TRUE(std::ranges::equal(tray, live()->vector(row_of(*live(), "cake-stand").value())))
      << "nothing of it is known but its category";
}

TEST_F(ModelWatcherTest, GivesNoRowWhereNothingIsKnown) {
  publish(model_of(rows_, 1));
  put({product_named("ball", {"Toys"})});
  start_watcher();

  put({product_named("spade", {"Garden"}), product_named("thing", {})});

  EXPECT_EQ(row_of(*live(), "spade"), std::nullopt);
  EXPECT_EQ(row_of(*live(), "thing"), std::nullopt);
  EXPECT_EQ(live()->row_count(), 3U);
}

TEST_F(ModelWatcherTest, KeepsATailRowThroughLaterChangesAndDropsItWithTheNextModel) {
  publish(model_of(rows_, 1));
  put({product_named("ball", {"Toys"}), product_named("doll", {"Toys"})});
  start_watcher();
  ASSERT_EQ(row_of(*live(), "doll"), 3U) << "known to the catalog before the model came";

  put({product_named("kite", {"Toys"})});
  put({product_named("doll", {"Home"})});
  EXPECT_EQ(row_of(*live(), "doll"), 3U);
  EXPECT_EQ(row_of(*live(), "kite"), 4U);
  remove("doll");
  EXPECT_FALSE(is_showable(*live(), "doll"));
  EXPECT_TRUE(is_showable(*live(), "kite"));

  publish(model_of({{"kite", 2, 2}, {"ball", 0, 1}}, 2000));
  ASSERT_TRUE(watcher_->refresh_and_wait().ok());
  EXPECT_EQ(row_of(*live(), "kite"), 0U);
  EXPECT_EQ(row_of(*live(), "doll"), std::nullopt);
  EXPECT_EQ(live()->row_count(), 2U);
}

TEST_F(ModelWatcherTest, KnowsAChangeOnceItIsAcknowledgedWhileModelsAreSwapped) {
  const std::string first = publish(model_of(rows_, 1));
  const std::string second = publish(model_of({{"ball", 1, 0}, {"teapot", 0, 1}}, 2000));
  put({product_named("cake-stand", {"Kitchen"}), product_named("teapot", {"Kitchen"}),
       product_named("ball", {"Toys"})});
  start_watcher();
  std::atomic<bool> is_done = false;
  std::atomic<int> swaps = 0;
  std::atomic<int> broken = 0;

  std::thread swapper([&] {
    while (!is_done) {
      const std::string& next = swaps % 2 == 0 ? first : second;
      if (!registry_.promote(next).ok() || *watcher_->refresh_and_wait() != next) ++broken;
      ++swaps;
    }
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      while (!is_done) {
        const auto model = live();
        const std::size_t rows = model->row_count();
        const auto found = model->index()->search(model->vector(0), 10, model->showable());
        bool is_whole = rows == model->index()->row_count() &&
                        rows == model->showable().row_count() && found.ok();
        for (std::uint32_t row = 0; row < model->model_row_count(); ++row) {
          is_whole = is_whole &&
                     numbers_.id_of(model->number_of(row)) == model->model()->products().id(row);
        }
        if (!is_whole) ++broken;
      }
    });
  }
  int unseen = 0;
  for (int round = 0; round < 200 || swaps < 20; ++round) {
    Product ball = product_named("ball", {"Toys"});
    ball.hidden = round % 2 == 0;
    const std::string fresh = "toy-" + std::to_string(round);
    put({ball, product_named(fresh, {"Toys"})});
    const auto model = live();
    if (is_showable(*model, "ball") == ball.hidden || !is_showable(*model, fresh)) ++unseen;
  }
  is_done = true;
  swapper.join();
  for (std::thread& reader : readers) reader.join();

  EXPECT_EQ(unseen, 0);
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace vitrine::live_model
