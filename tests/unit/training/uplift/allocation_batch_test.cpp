#include "training/uplift/allocation_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace vitrine::training {
namespace {

// Offer 0 costs 1 and moves some people much, offer 1 costs 3 and moves others; one budget.
AllocationBatch batch_of(int people, double budget, std::uint64_t seed) {
  AllocationBatch batch({budget}, {{0}, {0}});
  Random random(seed);
  for (int i = 0; i < people; ++i) {
    const double chance = 0.1 + 0.4 * random.uniform();
    const std::vector<ProspectOption> options = {
        {.offer = 0, .chance = chance, .value = 4 * random.uniform() - 1, .cost = chance},
        {.offer = 1, .chance = chance, .value = 8 * random.uniform() - 4, .cost = 3 * chance}};
    batch.add(i % 5 != 0, options);
  }
  return batch;
}

TEST(AllocationBatchTest, KeepsTheBudgetAndBeatsTheBestSingleOffer) {
  for (const double budget : {0.0, 50.0, 200.0, 1e9}) {
    const auto found = batch_of(2'000, budget, 1).allocate();
    ASSERT_TRUE(found.ok());
    EXPECT_LE(found->spent.at(0), budget);
    EXPECT_NEAR(found->cost, found->spent.at(0), 1e-6);
    if (budget == 0) continue;
    EXPECT_GE(found->value, 0.99 * found->bound);
    ASSERT_TRUE(found->best_single);
    EXPECT_GT(found->value, found->best_single->value);
    EXPECT_LE(found->best_single->cost, budget + 1e-6);
  }
}

TEST(AllocationBatchTest, GhostsGetWhatTheyWouldHaveGotAndCostNothing) {
  const auto found = batch_of(2'000, 200, 2).allocate();
  ASSERT_TRUE(found.ok());
  std::uint64_t ghosts = 0;
  double cost = 0;
  for (const BatchAllocation::Choice& choice : found->choices) {
    EXPECT_EQ(choice.is_ghost, choice.person % 5 == 0);
    ghosts += choice.is_ghost ? 1 : 0;
    if (!choice.is_ghost) cost += choice.option.cost;
  }
  EXPECT_EQ(found->offers[0].ghosts + found->offers[1].ghosts, ghosts);
  const double granted = static_cast<double>(found->offers[0].people + found->offers[1].people);
  EXPECT_NEAR(static_cast<double>(ghosts) / granted, 0.25, 0.05) << "a fifth is held out";
  EXPECT_NEAR(cost, found->cost, 1e-9);
}

TEST(AllocationBatchTest, OffersThatLoseAreGivenToNobody) {
  AllocationBatch batch({100}, {{0}});
  batch.add(true, std::vector<ProspectOption>{{.offer = 0, .value = -1, .cost = 1}});
  batch.add(true, {});
  const auto found = batch.allocate();
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->choices.empty());
  EXPECT_FALSE(found->best_single);
  EXPECT_EQ(found->value, 0);
}

TEST(AllocationBatchTest, TheSingleOfferGoesToAsManyAsItsBudgetPaysFor) {
  AllocationBatch batch({5}, {{0}});
  for (int i = 0; i < 10; ++i)
    batch.add(true, std::vector<ProspectOption>{{.offer = 0, .value = 2, .cost = 1}});
  const auto found = batch.allocate();
  ASSERT_TRUE(found.ok() && found->best_single);
  EXPECT_DOUBLE_EQ(found->best_single->share, 0.5);
  EXPECT_DOUBLE_EQ(found->best_single->value, 10);
  EXPECT_DOUBLE_EQ(found->value, 10);
}

TEST(AllocationBatchTest, RefusesWhatIsNoNumber) {
  AllocationBatch batch({-1}, {{0}});
  EXPECT_FALSE(batch.allocate().ok());
}

}  // namespace
}  // namespace vitrine::training
