#include "training/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "tests/unit/training/shop.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/interaction_list.h"

namespace vitrine::training {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr TimeMs k_until = 100 * k_day_ms;

// Customers of two tastes who buy something most days, also in the last week.
InteractionList busy_shop(std::uint32_t users) {
  InteractionList list;
  Random random(7);
  for (std::uint32_t user = 0; user < users; ++user) {
    for (TimeMs day = 40; day <= 100; day += 3) {
      const auto product = static_cast<std::uint32_t>(random.below(60)) * 2 + user % 2;
      list.add(test::purchase("u" + std::to_string(user), "p" + std::to_string(product),
                              day * k_day_ms));
    }
  }
  return list;
}

InteractionSource source_of(const InteractionList& list) {
  return [&list](const std::function<void(const Interaction&)>& take) {
    list.for_each(take);
    return absl::OkStatus();
  };
}

Recipe sound_recipe() {
  Recipe recipe;
  recipe.als.factors.dimension = 8;
  recipe.als.epochs = 6;
  return recipe;
}

// Regularized until nothing is left but popularity.
Recipe broken_recipe() {
  Recipe recipe = sound_recipe();
  recipe.als.factors.dimension = 1;
  recipe.als.factors.lambda = 1000;
  return recipe;
}

TEST(GateTest, ARecipeThatIsClearlyWorseIsRefusedWithTheFigures) {
  const InteractionList shop = busy_shop(80);

  const auto verdict =
      compare_recipes(source_of(shop), broken_recipe(), sound_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_FALSE(verdict->passed);
  EXPECT_THAT(verdict->reason, HasSubstr("current recipe"));
  ASSERT_TRUE(verdict->difference.has_value());
  EXPECT_LT(verdict->difference->high, 0);
  EXPECT_LT(verdict->candidate.at("ndcg@20"), verdict->current.at("ndcg@20"));
}

TEST(GateTest, ABetterRecipePasses) {
  const InteractionList shop = busy_shop(80);

  const auto verdict =
      compare_recipes(source_of(shop), sound_recipe(), broken_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_TRUE(verdict->passed);
  EXPECT_THAT(verdict->reason, StartsWith("better"));
  EXPECT_GT(verdict->difference->low, 0);
}

TEST(GateTest, TheSameRecipePassesAndIsMeasuredForTheRecord) {
  const InteractionList shop = busy_shop(80);

  const auto verdict =
      compare_recipes(source_of(shop), sound_recipe(), sound_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_TRUE(verdict->passed);
  EXPECT_FALSE(verdict->difference.has_value());
  EXPECT_GT(verdict->candidate.at("ndcg@20"), 0);
}

// Only factors are trained to judge a recipe: the figures are those of the whole model.
TEST(GateTest, ARecipeIsJudgedByTheFiguresOfItsWholeModel) {
  const InteractionList shop = busy_shop(80);
  const Recipe recipe = sound_recipe();
  SplitBuilder builder{DatasetOptions{}};
  shop.for_each([&](const Interaction& one) { builder.add_by_time(one, k_until - 7 * k_day_ms); });
  const Split split = builder.build().value();
  TrainOptions options;
  options.als = recipe.als;
  const TrainOutcome whole =
      train(split.train, options, {.name = "test"}, SystemClock(), {}).value();

  const auto verdict = compare_recipes(source_of(shop), recipe, recipe, k_until, {}, {});
  const auto judged = evaluate(split, factor_ranking(split.train, whole.model), {.cutoffs = {20}});

  ASSERT_TRUE(verdict.ok() && judged.ok());
  EXPECT_EQ(verdict->candidate, judged->metrics);
}

TEST(GateTest, TooFewCustomersInTheLastWeekDecideNothing) {
  const InteractionList shop = busy_shop(10);

  const auto verdict =
      compare_recipes(source_of(shop), broken_recipe(), sound_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_TRUE(verdict->passed);
  EXPECT_THAT(verdict->reason, HasSubstr("30 are needed"));
}

TEST(GateTest, AShopWithoutAnEarlierHistoryDecidesNothing) {
  InteractionList shop;
  for (int user = 0; user < 50; ++user)
    shop.add(test::purchase("u" + std::to_string(user), "p1", k_until));

  const auto verdict =
      compare_recipes(source_of(shop), broken_recipe(), sound_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_TRUE(verdict->passed);
}

// What happened after the data was closed must not decide, and what the candidate is judged on must
// not have been learnt.
TEST(GateTest, EventsAfterTheEndChangeNothing) {
  const InteractionList shop = busy_shop(80);
  InteractionList longer = busy_shop(80);
  for (int user = 0; user < 80; ++user)
    longer.add(test::purchase("u" + std::to_string(user), "p1", k_until + k_day_ms));

  const auto verdict =
      compare_recipes(source_of(shop), sound_recipe(), broken_recipe(), k_until, {}, {});
  const auto later =
      compare_recipes(source_of(longer), sound_recipe(), broken_recipe(), k_until, {}, {});

  ASSERT_TRUE(verdict.ok() && later.ok());
  EXPECT_EQ(verdict->candidate, later->candidate);
}

TEST(GateTest, AModelThatLostItsProductsOrItsMindIsRefused) {
  const Dataset data = test::shop_of_two_tastes();
  TrainOptions options;
  options.als = sound_recipe().als;
  auto trained = train(data, options, {.name = "test"}, SystemClock(), {});
  ASSERT_TRUE(trained.ok()) << trained.status();

  EXPECT_TRUE(check_model(*trained, data.products.size(), {}).passed);
  EXPECT_THAT(check_model(*trained, 10 * data.products.size(), {}).reason,
              HasSubstr("the current model"));
  trained->epochs.back().objective = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(check_model(*trained, 0, {}).reason, HasSubstr("not finite"));
}

}  // namespace
}  // namespace vitrine::training
