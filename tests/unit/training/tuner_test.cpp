#include "training/tuner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

InteractionList shop(bool has_times) {
  InteractionList list;
  Random random(3);
  for (std::uint32_t user = 0; user < 60; ++user) {
    for (int i = 0; i < 20; ++i) {
      const auto product = static_cast<std::uint32_t>(random.below(30)) * 2 + user % 2;
      list.add(test::purchase("u" + std::to_string(user), "p" + std::to_string(product),
                              has_times ? i * k_day_ms : 0));
    }
  }
  return list;
}

// One number cannot tell two tastes apart: anything that is drawn beats it.
TuneOptions options_of(std::uint32_t budget) {
  TuneOptions options;
  options.base.als.factors = {.dimension = 1, .alpha0 = 0.3F, .lambda = 1000, .nu = 1};
  options.base.als.epochs = 4;
  options.base.als.threads = 1;
  options.budget = budget;
  options.dimension_max = 32;
  return options;
}

TEST(TunerTest, BudgetsAreSpentInRungsOfAThirdEach) {
  EXPECT_EQ(rungs_of(39), (std::vector<std::uint32_t>{27, 9, 3}));
  EXPECT_EQ(rungs_of(3), (std::vector<std::uint32_t>{2}));
}

TEST(TunerTest, TheWinnerBeatsABadStartAndTheLastRungRunsToTheEnd) {
  const auto result = tune(shop(true), options_of(13), {});

  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(result->leaderboard.empty());
  EXPECT_GT(result->leaderboard.front().ndcg.mean, 1.1 * result->runs.front().ndcg.mean);
  EXPECT_EQ(result->runs.back().recipe.als.epochs, 4U);
  EXPECT_EQ(result->leaderboard.size(), 9U);  // of 9 + 3 + 1 runs
  EXPECT_EQ(result->runs.front().recipe.als.epochs, 1U);
  EXPECT_TRUE(result->cut.is_by_time);
}

TEST(TunerTest, ARecipeIsRankedWithTheEpochsAtWhichItWasBest) {
  TuneOptions options = options_of(13);
  options.base.als.epochs = 40;  // far too many for so small a shop

  const auto result = tune(shop(true), options, {});

  ASSERT_TRUE(result.ok()) << result.status();
  const auto without_epochs = [](Recipe recipe) {
    recipe.als.epochs = 1;
    return arguments_of(recipe);
  };
  std::map<std::string, double> best;
  for (const TuneRun& run : result->runs) {
    double& mean = best[without_epochs(run.recipe)];
    mean = std::max(mean, run.ndcg.mean);
  }
  bool stopped_early = false;
  for (const TuneRun& one : result->leaderboard) {
    EXPECT_EQ(one.ndcg.mean, best.at(without_epochs(one.recipe)));
    EXPECT_EQ(one.key, arguments_of(one.recipe));
    for (const TuneRun& run : result->runs) {
      stopped_early = stopped_early || (without_epochs(run.recipe) == without_epochs(one.recipe) &&
                                        run.recipe.als.epochs > one.recipe.als.epochs);
    }
  }
  EXPECT_TRUE(stopped_early) << "or the test shows nothing";
}

TEST(TunerTest, TheSameSeedMakesTheSameRunsAndAnotherOneOthers) {
  const InteractionList list = shop(true);
  TuneOptions options = options_of(6);
  const auto first = tune(list, options, {});
  const auto again = tune(list, options, {});
  options.seed = 2;
  const auto other = tune(list, options, {});

  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  std::set<std::string> keys;
  for (std::size_t i = 0; i < first->runs.size(); ++i) {
    EXPECT_EQ(first->runs[i].key, again->runs[i].key);
    EXPECT_EQ(first->runs[i].ndcg.mean, again->runs[i].ndcg.mean);
    keys.insert(first->runs[i].key);
  }
  EXPECT_FALSE(keys.contains(other->runs[1].key));
}

TEST(TunerTest, RunsThatAreKnownAreNotMadeAgain) {
  const InteractionList list = shop(true);
  const auto whole = tune(list, options_of(6), {});
  ASSERT_TRUE(whole.ok());
  TuneObserver observer;
  for (std::size_t i = 0; i < 2; ++i) observer.known.emplace(whole->runs[i].key, whole->runs[i]);
  std::size_t made = 0;
  observer.on_run = [&](const TuneRun&, std::size_t, std::size_t, bool is_known) {
    made += is_known ? 0 : 1;
    return absl::OkStatus();
  };

  const auto resumed = tune(list, options_of(6), observer);

  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(made, whole->runs.size() - 2);
  EXPECT_EQ(resumed->leaderboard.front().key, whole->leaderboard.front().key);
}

TEST(TunerTest, WithoutTimesPairsAreHeldOutByChance) {
  const auto result = tune(shop(false), options_of(3), {});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->cut.is_by_time);
  EXPECT_GT(result->cut.users, 20U);
}

TEST(TunerTest, AskingItToStopStopsIt) {
  const std::atomic<bool> cancel = true;
  TuneObserver observer;
  observer.cancel = &cancel;
  EXPECT_TRUE(absl::IsCancelled(tune(shop(true), options_of(3), observer).status()));
}

TEST(TunerTest, WhatCannotBeIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(tune(shop(true), options_of(2), {}).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(tune(InteractionList{}, options_of(3), {}).status()));
}

}  // namespace
}  // namespace vitrine::training
