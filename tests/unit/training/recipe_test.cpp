#include "training/recipe.h"

#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"
#include "tests/unit/training/shop.h"
#include "training/train_job.h"

namespace vitrine::training {
namespace {

// Nothing is left at its default.
Recipe unusual_recipe() {
  Recipe recipe;
  recipe.als = {.factors = {.dimension = 12, .alpha0 = 0.07F, .lambda = 0.0123F, .nu = 0.75F},
                .epochs = 3,
                .seed = 9,
                .solver = SolverKind::dual};
  recipe.confidence.weights = {};
  recipe.confidence.weights[static_cast<std::size_t>(EventType::purchase)] = 2.5F;
  recipe.confidence.half_life_days = 17.3;
  recipe.confidence.cap = 55;
  recipe.neighbors = {.similar_max = 11,
                      .together_max = 12,
                      .together_support_min = 4,
                      .together_false_share = 0.1,
                      .order_products_max = 99,
                      .viewed_max = 13,
                      .viewed_support_min = 5,
                      .viewed_window = 6,
                      .session_views_max = 77,
                      .viewed_half_life_days = 12.5};
  recipe.content = {.lambdas = {0.25, 4},
                    .features_max = 500,
                    .feature_products_min = 3,
                    .price_bands = 4,
                    .sample_max = 2000};
  recipe.shop = {.popular_max = 20, .product_repeats_min = 6, .category_repeats_min = 7};
  return recipe;
}

TrainingRecord record_of(const Recipe& recipe) {
  DatasetOptions options;
  options.confidence = recipe.confidence;
  DatasetBuilder builder(options);
  builder.add(test::purchase("ann", "lamp", 1));
  builder.add(test::purchase("ann", "vase", 2));
  builder.add(test::purchase("bob", "lamp", 3));
  const TrainOptions train_options{.als = recipe.als,
                                   .neighbors = recipe.neighbors,
                                   .content = recipe.content,
                                   .shop = recipe.shop};
  return train(builder.build().value(), train_options, {.name = "test"}, FakeClock(0), {})
      .value()
      .model->record();
}

TEST(RecipeTest, TheRecordOfAModelTellsItsWholeRecipe) {
  const Recipe recipe = unusual_recipe();

  const Recipe told = recipe_of(record_of(recipe), recipe.als.factors);

  EXPECT_TRUE(is_same(told, recipe));
  EXPECT_EQ(settings_of(told), settings_of(recipe));
  EXPECT_EQ(told.als.solver, SolverKind::dual);
  EXPECT_EQ(told.content.lambdas, recipe.content.lambdas);
  EXPECT_EQ(told.neighbors.viewed_half_life_days, 12.5);
  EXPECT_EQ(told.shop.category_repeats_min, 7U);
}

TEST(RecipeTest, RecipesThatLearnOtherTablesAreNotTheSame) {
  Recipe other;
  other.neighbors.viewed_window = 20;
  EXPECT_FALSE(is_same(Recipe{}, other));
  other = {};
  other.content.lambdas.pop_back();
  EXPECT_FALSE(is_same(Recipe{}, other));
  other = {};
  other.shop.popular_max = 1;
  EXPECT_FALSE(is_same(Recipe{}, other));
  other = {};
  other.als.solver = SolverKind::primal;
  EXPECT_TRUE(is_same(Recipe{}, other));
}

TEST(RecipeTest, WhatAnOlderRecordDoesNotTellIsAsByDefault) {
  TrainingRecord record = record_of(Recipe{});
  record.settings = {{"similar_max", "7"}, {"together_max", "many"}};

  const Recipe told = recipe_of(record, Recipe{}.als.factors);

  EXPECT_EQ(told.neighbors.similar_max, 7U);
  EXPECT_EQ(told.neighbors.together_max, NeighborOptions{}.together_max);
  EXPECT_EQ(told.content.lambdas, ContentOptions{}.lambdas);
}

}  // namespace
}  // namespace vitrine::training
