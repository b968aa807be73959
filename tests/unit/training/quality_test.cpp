// What the whole trainer is worth on a year of a real shop's orders.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/status.h"
#include "training/baselines.h"
#include "training/interaction_file.h"
#include "training/train_job.h"

namespace vitrine::training {
namespace {

class OnlineRetailTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    SplitBuilder builder{DatasetOptions{}};
    const TimeMs split_ms = parse_time("2011-10-01").value();
    const auto facts =
        read_interactions(std::filesystem::path(VITRINE_EXAMPLES) / "online_retail/events.csv.gz",
                          [&](const Interaction& one) { builder.add_by_time(one, split_ms); });
    ASSERT_TRUE(facts.ok()) << message_of(facts.status());
    split_ = new Split(builder.build().value());
    const SystemClock clock;
    model_ = train(split_->train, {}, {.name = "online_retail"}, clock, {}).value().model;
  }
  static void TearDownTestSuite() {
    delete split_;
    model_.reset();
  }
  static double recall(const RankFunction& rank) {
    return evaluate(*split_, rank, {.cutoffs = {20}}).value().metrics.at("recall@20");
  }

  static inline Split* split_ = nullptr;
  static inline std::shared_ptr<const TrainedModel> model_;
};

TEST_F(OnlineRetailTest, TheSplitIsTheOneThatThePublishedFiguresAreAbout) {
  EXPECT_EQ(split_->fresh.users.size(), 1582U);
  EXPECT_EQ(split_->fresh.pair_count(), 40300U);
}

TEST_F(OnlineRetailTest, PersonalIsClearlyBetterThanPopularAndThanProductKnn) {
  const double personal = recall(factor_ranking(split_->train, model_));
  EXPECT_GE(personal, 0.095);
  EXPECT_GT(personal, 2 * recall(popular_ranking(split_->train)));
  EXPECT_GT(personal, 1.2 * recall(product_knn_ranking(split_->train)));
}

TEST_F(OnlineRetailTest, ThePartyBuntingIsSoldWithOtherPartyThings) {
  // 47566 is PARTY BUNTING, the shop's favourite; 23298 SPOTTY BUNTING.
  const std::uint32_t bunting = model_->products().row("47566").value();
  EXPECT_GE(model_->together().of(bunting).size(), 10U);
  for (const RelatedProduct& related : model_->together().of(bunting)) {
    EXPECT_GE(related.support, 3U);
    EXPECT_GT(related.lift, 1);
  }
}

}  // namespace
}  // namespace vitrine::training
