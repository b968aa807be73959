// What an evaluation tells besides its means: users by activity, new users, popularity of what is
// shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/unit/training/shop.h"
#include "training/activity.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/interaction_list.h"
#include "training/split.h"

namespace vitrine::training {
namespace {

using test::purchase;

// Always 0, 1, 2, ... without what is excluded.
RankFunction in_order(std::size_t products) {
  return ranking_by_score(
      [products](std::uint32_t, std::span<float> scores) {
        for (std::size_t i = 0; i < products; ++i) scores[i] = -static_cast<float>(i);
      },
      products);
}

// Training: u1 and u2 have a, u1 has b. Test: u1 gets c, and two people come who are new.
Split small_split() {
  SplitBuilder builder{DatasetOptions{}};
  builder.add_train(purchase("u1", "a"));
  builder.add_train(purchase("u1", "b"));
  builder.add_train(purchase("u2", "a"));
  builder.add_train(purchase("u3", "c"));
  builder.add_test(purchase("u1", "c", 10));
  builder.add_test(purchase("u1", "nobody had it", 10));
  builder.add_test(purchase("new1", "b", 30));
  builder.add_test(purchase("new1", "a", 20));
  builder.add_test(purchase("new1", "c", 40));
  builder.add_test(purchase("new2", "a", 20));
  return builder.build().value();
}

TEST(JudgingTest, PopularityAndNoveltyAreThoseOfWhatIsShown) {
  const Split split = small_split();

  const auto result = evaluate(split, in_order(3), {.cutoffs = {1}});

  ASSERT_TRUE(result.ok()) << result.status();
  // u1 is shown c, which one of three users has.
  EXPECT_NEAR(result->metrics.at("popularity@1"), 1.0 / 3, 1e-6);
  EXPECT_NEAR(result->metrics.at("novelty@1"), std::log2(3.0), 1e-6);
  EXPECT_EQ(result->by_user.at("recall@1"), std::vector<float>{1});
  EXPECT_EQ(split.train.users[result->user_numbers.front()], "u1");
}

TEST(JudgingTest, NewUsersAreJudgedByTheirLaterProductsAndKnownByTheirFirst) {
  const Split split = small_split();

  // new2 has one product only: nothing would be left to find.
  ASSERT_EQ(split.cold.users.size(), 1U);
  ASSERT_EQ(split.cold_known.row_count(), 1U);
  EXPECT_EQ(split.train.products[split.cold_known.columns_of(0).front()], "a");
  EXPECT_EQ(split.cold.products.columns_of(0).size(), 2U);
  EXPECT_EQ(split.cold_users, 2U);
  EXPECT_EQ(split.cold_product_pairs, 1U);

  const Dataset view = cold_view(split);
  const auto result = evaluate_cold(split, view, in_order(3), {.cutoffs = {2}});

  ASSERT_TRUE(result.ok()) << result.status();
  // What was known is not ranked, so that the two left are the two to be found.
  EXPECT_EQ(result->metrics.at("recall@2"), 1);
}

TEST(JudgingTest, NobodyWhoIsLeftOutOfTrainingIsJudged) {
  DatasetOptions options;
  options.is_left_out = [](std::string_view user) { return user.starts_with("bot"); };
  SplitBuilder builder{options};
  for (const char* user : {"ann", "bot1"}) builder.add_train(purchase(user, "a"));
  builder.add_train(purchase("bob", "b"));
  for (const char* user : {"ann", "bot1"}) builder.add_test(purchase(user, "b", 10));
  for (const char* product : {"a", "b"}) builder.add_test(purchase("bot2", product, 10));

  const Split split = builder.build().value();

  ASSERT_EQ(split.fresh.users.size(), 1U);
  EXPECT_EQ(split.train.users[split.fresh.users.front()], "ann");
  EXPECT_EQ(split.cold_users, 0U) << "bot2 is no new customer";
  EXPECT_TRUE(split.cold.users.empty());
}

TEST(JudgingTest, UsersAreToldApartByWhatTheyDidBefore) {
  SplitBuilder builder{DatasetOptions{}};
  for (int product = 0; product < 30; ++product) {
    const std::string id = "p" + std::to_string(product);
    builder.add_train(purchase("other", id));
    if (product < 3) builder.add_train(purchase("casual", id));
    if (product < 12) builder.add_train(purchase("regular", id));
  }
  builder.add_test(purchase("casual", "p3"));
  builder.add_test(purchase("regular", "p29"));
  const Split split = builder.build().value();
  const auto result = evaluate(split, in_order(30), {.cutoffs = {1}});
  ASSERT_TRUE(result.ok()) << result.status();

  const std::vector<ActivityBucket> buckets = by_activity(*result, split.train);

  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].from, 1U);
  EXPECT_EQ(buckets[0].metrics.at("recall@1"), 1);
  EXPECT_EQ(buckets[1].from, 10U);
  EXPECT_EQ(buckets[1].to, 19U);
  EXPECT_EQ(buckets[1].metrics.at("recall@1"), 0);
}

TEST(JudgingTest, AListOfInteractionsGivesBackWhatItWasGiven) {
  InteractionList list;
  list.add(purchase("u\t1", "p1", 5, "o1"));
  Interaction view{.user = "",
                   .product = "p2",
                   .order = "",
                   .type = EventType::view,
                   .time_ms = 105,
                   .session = "s",
                   .market = "GB",
                   .quantity = 3,
                   .weight = 2.5F};
  list.add(view);

  std::vector<std::string> seen;
  list.for_each([&](const Interaction& one) {
    seen.push_back(std::string(one.user) + "|" + std::string(one.product) + "|" +
                   std::string(one.order) + "|" + std::string(one.session) + "|" +
                   std::string(one.market) + "|" + std::string(name_of(one.type)) + "|" +
                   std::to_string(one.quantity) + "|" + std::to_string(one.weight.value_or(0)));
  });

  EXPECT_EQ(seen, (std::vector<std::string>{"u\t1|p1|o1|||purchase|1|0.000000",
                                            "|p2||s|GB|view|3|2.500000"}));
  EXPECT_EQ(list.time_at(0.8), 85);
}

}  // namespace
}  // namespace vitrine::training
