#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/unit/training/shop.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/metrics.h"

namespace vitrine::training {
namespace {

using test::number_of;
using test::purchase;
using ::testing::ElementsAre;

using Products = std::vector<std::uint32_t>;

TEST(MetricsTest, CountsHitsByBothDefinitionsOfRecall) {
  const ListQuality quality = list_quality(Products{9, 2, 8, 4, 7}, Products{1, 2, 3, 4}, 2);
  EXPECT_DOUBLE_EQ(quality.recall, 1.0 / 4);
  EXPECT_DOUBLE_EQ(quality.recall_min, 1.0 / 2);
  EXPECT_DOUBLE_EQ(quality.hr, 1);
  EXPECT_DOUBLE_EQ(quality.mrr, 1.0 / 2);
  EXPECT_DOUBLE_EQ(quality.ndcg, (1 / std::log2(3)) / (1 + 1 / std::log2(3)));
}

TEST(MetricsTest, APerfectListScoresOneAndAnEmptyOneZero) {
  const ListQuality perfect = list_quality(Products{3, 1}, Products{1, 3}, 10);
  EXPECT_DOUBLE_EQ(perfect.recall, 1);
  EXPECT_DOUBLE_EQ(perfect.recall_min, 1);
  EXPECT_DOUBLE_EQ(perfect.ndcg, 1);
  EXPECT_DOUBLE_EQ(perfect.mrr, 1);
  const ListQuality empty = list_quality(Products{}, Products{1, 3}, 10);
  EXPECT_DOUBLE_EQ(empty.recall + empty.recall_min + empty.ndcg + empty.hr + empty.mrr, 0);
}

TEST(MetricsTest, TheFirstHitAloneDecidesTheReciprocalRank) {
  EXPECT_DOUBLE_EQ(list_quality(Products{5, 6, 1, 2}, Products{1, 2}, 4).mrr, 1.0 / 3);
}

// ann and bob train on lamp and teapot; afterwards ann buys the vase and the lamp again, bob
// nothing known.
class SplitTest : public ::testing::Test {
 protected:
  SplitTest() {
    for (const char* product : {"lamp", "teapot"}) {
      builder_.add_by_time(purchase("ann", product, 1), 10);
      builder_.add_by_time(purchase("bob", product, 2), 10);
    }
    builder_.add_by_time(purchase("bob", "vase", 3), 10);
    builder_.add_by_time(purchase("", "rug", 3, "o1"), 10);
    builder_.add_by_time(purchase("ann", "vase", 10), 10);
    builder_.add_by_time(purchase("ann", "vase", 11), 10);
    builder_.add_by_time(purchase("ann", "lamp", 12), 10);
    builder_.add_by_time(purchase("ann", "rug", 12), 10);
    builder_.add_by_time(purchase("ann", "clock", 12), 10);
    builder_.add_by_time(purchase("eve", "lamp", 12), 10);
    builder_.add_by_time({.user = "bob",
                          .product = "lamp",
                          .order = {},
                          .type = EventType::view,
                          .time_ms = 13,
                          .weight = {}},
                         10);
  }
  SplitBuilder builder_{DatasetOptions{}};
};

TEST_F(SplitTest, JudgesByWhatKnownUsersBoughtOfKnownProducts) {
  const Split split = builder_.build().value();
  const std::uint32_t vase = number_of(split.train.products, "vase");
  const std::uint32_t lamp = number_of(split.train.products, "lamp");
  ASSERT_EQ(split.fresh.users.size(), 1U);
  EXPECT_EQ(split.train.users[split.fresh.users[0]], "ann");
  EXPECT_THAT(split.fresh.products.columns_of(0), ElementsAre(vase));
  EXPECT_THAT(split.repeats.products.columns_of(0), ElementsAre(lamp, vase));
}

TEST_F(SplitTest, CountsWhatItLeavesOut) {
  const Split split = builder_.build().value();
  EXPECT_EQ(split.cold_users, 1U) << "eve";
  EXPECT_EQ(split.cold_products, 2U) << "the clock, and the rug that only nobody bought";
}

TEST_F(SplitTest, TheTrainingSetKnowsNothingOfTheTestTime) {
  const Split split = builder_.build().value();
  EXPECT_EQ(split.train.until_ms, 3);
  EXPECT_EQ(split.train.interactions, 6U);
}

TEST(SplitBuilderTest, RefusesATestSetThatJudgesNothing) {
  SplitBuilder builder{DatasetOptions{}};
  builder.add_train(purchase("ann", "lamp"));
  builder.add_test(purchase("eve", "lamp"));
  EXPECT_EQ(builder.build().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SplitTest, EvaluatesAnyRankingAndLeavesTrainingPairsOut) {
  const Split split = builder_.build().value();
  const std::uint32_t ann = number_of(split.train.users, "ann");
  const RankFunction rank = ranking_by_score(
      [](std::uint32_t, std::span<float> scores) {
        for (std::size_t product = 0; product < scores.size(); ++product)
          scores[product] = -static_cast<float>(product);
      },
      split.train.products.size());
  Products ranked;
  rank(ann, 3, split.train.seen_by_user.columns_of(ann), ranked);
  EXPECT_THAT(ranked, ElementsAre(number_of(split.train.products, "vase"),
                                  number_of(split.train.products, "rug")));

  const Evaluation fresh = evaluate(split, rank, {.cutoffs = {1, 3}}).value();
  EXPECT_EQ(fresh.users, 1U);
  EXPECT_EQ(fresh.pairs, 1U);
  EXPECT_DOUBLE_EQ(fresh.metrics.at("recall@1"), 1);
  EXPECT_DOUBLE_EQ(fresh.metrics.at("coverage@1"), 1.0 / 4);
  EXPECT_DOUBLE_EQ(fresh.metrics.at("coverage@3"), 2.0 / 4);

  const Evaluation repeats =
      evaluate(split, rank, {.cutoffs = {1}, .repeats = Repeats::allowed}).value();
  EXPECT_EQ(repeats.pairs, 2U);
  EXPECT_DOUBLE_EQ(repeats.metrics.at("recall@1"), 0.5) << "the lamp, first and bought again";
}

TEST_F(SplitTest, RefusesCutoffsOutOfRange) {
  const Split split = builder_.build().value();
  const RankFunction rank = popular_ranking(split.train);
  EXPECT_EQ(evaluate(split, rank, {.cutoffs = {}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(evaluate(split, rank, {.cutoffs = {0}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(evaluate(split, rank, {.cutoffs = {1001}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RankingTest, AgreesWithSortingEverything) {
  Random random(3);
  std::vector<float> scores(500);
  for (float& score : scores) score = static_cast<float>(random.below(50));  // many ties
  const RankFunction rank = ranking_by_score(
      [&](std::uint32_t, std::span<float> target) {
        std::copy(scores.begin(), scores.end(), target.begin());
      },
      500);
  Products expected(500);
  for (std::uint32_t product = 0; product < 500; ++product) expected[product] = product;
  std::stable_sort(expected.begin(), expected.end(),
                   [&](auto a, auto b) { return scores[a] > scores[b]; });
  expected.resize(40);
  Products ranked;
  rank(0, 40, {}, ranked);
  EXPECT_EQ(ranked, expected);
}

TEST(BaselinesTest, PopularCountsUsersAndOwnOrdersCountOrders) {
  DatasetBuilder builder{DatasetOptions{}};
  for (const char* order : {"1", "2", "3"}) builder.add(purchase("ann", "tape", 0, order));
  builder.add(purchase("ann", "rug", 0, "1"));
  for (const char* user : {"bob", "cem", "dan"}) builder.add(purchase(user, "lamp"));
  builder.add(purchase("bob", "rug"));
  const Dataset data = builder.build().value();
  const auto names = [&](const RankFunction& rank) {
    Products ranked;
    rank(number_of(data.users, "ann"), 3, {}, ranked);
    std::vector<std::string> result;
    for (const std::uint32_t product : ranked) result.push_back(data.products[product]);
    return result;
  };
  EXPECT_THAT(names(popular_ranking(data)), ElementsAre("lamp", "rug", "tape"));
  EXPECT_THAT(names(own_orders_ranking(data)), ElementsAre("tape", "rug", "lamp"));
}

// lamp goes with bulb (both of two users who have the lamp); the rug is owned by all and so says
// less.
TEST(BaselinesTest, ProductKnnSumsTheCosinesOfWhatAUserHas) {
  DatasetBuilder builder{DatasetOptions{}};
  for (const char* user : {"bob", "cem"}) {
    for (const char* product : {"lamp", "bulb", "rug"}) builder.add(purchase(user, product));
  }
  for (const char* user : {"dan", "eve", "fay"}) builder.add(purchase(user, "rug"));
  builder.add(purchase("ann", "lamp"));
  const Dataset data = builder.build().value();
  const std::uint32_t ann = number_of(data.users, "ann");
  Products ranked;
  product_knn_ranking(data)(ann, 2, data.seen_by_user.columns_of(ann), ranked);
  EXPECT_THAT(ranked,
              ElementsAre(number_of(data.products, "bulb"), number_of(data.products, "rug")));
}

TEST(BaselinesTest, UnknownNamesAreRefusedWithTheAllowedOnes) {
  const Dataset data = test::shop_of_two_tastes();
  EXPECT_TRUE(baseline_ranking("popular", data).ok());
  EXPECT_EQ(baseline_ranking("oracle", data).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::training
