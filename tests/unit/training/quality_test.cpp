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

TEST_F(OnlineRetailTest, ThePartyBuntingGoesWithTheSpottyOneByOrdersAndByFactors) {
  const std::uint32_t party = model_->products().row("47566").value();
  const std::uint32_t spotty = model_->products().row("23298").value();
  ASSERT_FALSE(model_->together().of(party).empty());
  EXPECT_EQ(model_->together().of(party).front().row, spotty);
  EXPECT_GT(model_->together().of(party).front().lift, 3);
  EXPECT_GE(model_->together().of(party).front().support, 100U);
  EXPECT_EQ(model_->similar().of(party).front().row, spotty);
}

}  // namespace
}  // namespace vitrine::training
