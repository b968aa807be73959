// Against exact optima, never over a budget, and a price that makes a day's budget last the day.
#include "training/uplift/allocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

using testing::Optional;

// Offers of whole costs, so that a table can find the optimum exactly. Some values and some costs
// are negative.
AllocationProblem drawn(std::size_t people, std::uint32_t offers, double budget_share,
                        std::uint64_t seed) {
  Random random(seed);
  AllocationProblem problem;
  problem.budgets_of_offer.assign(offers, {0});
  double all = 0;
  for (std::size_t person = 0; person < people; ++person) {
    double dearest = 0;
    for (std::uint32_t offer = 0; offer < offers; ++offer) {
      const double cost = static_cast<double>(random.below(60)) - 5;
      const double value = cost * (0.3 + random.uniform()) + 6 * random.normal();
      problem.options.push_back({offer, value, cost});
      dearest = std::max(dearest, cost);
    }
    problem.ends.push_back(problem.options.size());
    all += dearest;
  }
  problem.budgets = {std::floor(budget_share * all)};
  return problem;
}

// The exact optimum of one budget, by dynamic programming over what is spent.
double optimum_of(const AllocationProblem& problem) {
  const std::size_t people = problem.people();
  const std::size_t below = 5 * people;  // costs reach down to -5
  const std::size_t width = below + 60 * people + 1;
  constexpr double k_never = -1e300;
  std::vector<double> best(width, k_never);
  best[below] = 0;
  for (std::size_t person = 0; person < people; ++person) {
    std::vector<double> next = best;
    for (std::size_t spent = 0; spent < width; ++spent) {
      if (best[spent] == k_never) continue;
      for (const AllocationOption& option : problem.options_of(person)) {
        const auto to = static_cast<std::size_t>(static_cast<double>(spent) + option.cost);
        next[to] = std::max(next[to], best[spent] + option.value);
      }
    }
    best = next;
  }
  double optimum = k_never;
  for (std::size_t spent = 0; spent < width; ++spent) {
    if (static_cast<double>(spent) - static_cast<double>(below) <= problem.budgets[0])
      optimum = std::max(optimum, best[spent]);
  }
  return optimum;
}

void expect_within_budgets(const AllocationProblem& problem, const Allocation& allocation) {
  std::vector<double> spent(problem.budgets.size());
  double value = 0;
  for (std::size_t person = 0; person < problem.people(); ++person) {
    if (!allocation.chosen[person]) continue;
    const AllocationOption& option = problem.options_of(person)[*allocation.chosen[person]];
    value += option.value;
    for (const std::uint32_t budget : problem.budgets_of_offer[option.offer])
      spent[budget] += option.cost;
  }
  EXPECT_DOUBLE_EQ(value, allocation.value);
  for (std::size_t b = 0; b < spent.size(); ++b) {
    EXPECT_LE(spent[b], problem.budgets[b]);
    EXPECT_DOUBLE_EQ(spent[b], allocation.spent[b]);
  }
}

TEST(AllocationTest, ReachesNinetyNinePercentOfTheExactOptimumAndNeverGoesOver) {
  double worst = 1;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const double share = 0.02 + 0.9 * static_cast<double>(seed % 10) / 10;
    const AllocationProblem problem =
        drawn(20 + 3 * (seed % 7), static_cast<std::uint32_t>(1 + seed % 5), share, seed);
    const Allocation allocation = allocate(problem).value();
    const double optimum = optimum_of(problem);
    expect_within_budgets(problem, allocation);
    EXPECT_LE(optimum, allocation.bound * (1 + 1e-9) + 1e-9);
    EXPECT_GE(allocation.value, 0.99 * optimum) << "seed " << seed << ", share " << share;
    worst = std::min(worst, allocation.value / optimum);
  }
  RecordProperty("worst_ratio", std::to_string(worst));
}

TEST(AllocationTest, ThousandsOfPeopleEndNextToTheBound) {
  const AllocationProblem problem = drawn(5'000, 4, 0.3, 7);
  const Allocation allocation = allocate(problem).value();
  expect_within_budgets(problem, allocation);
  EXPECT_GE(allocation.value, 0.9999 * allocation.bound);
  EXPECT_GE(allocation.spent[0], 0.9999 * problem.budgets[0]);
}

// Each campaign has a budget, and the shop has one over both.
TEST(AllocationTest, KeepsSeveralBudgetsAndComesNearTheirBound) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    AllocationProblem problem = drawn(400, 4, 0.3, 100 + seed);
    const double all = problem.budgets[0];
    problem.budgets = {0.3 * all, 0.9 * all, all};
    problem.budgets_of_offer = {{0, 2}, {0, 2}, {1, 2}, {1, 2}};
    const Allocation allocation = allocate(problem).value();
    expect_within_budgets(problem, allocation);
    EXPECT_GE(allocation.value, 0.99 * allocation.bound) << seed;
    EXPECT_GT(allocation.prices[0], 0);
  }
}

TEST(AllocationTest, ABudgetThatPaysForAllHasNoPrice) {
  AllocationProblem problem = drawn(50, 3, 1, 3);
  problem.budgets[0] = 1e9;
  const Allocation allocation = allocate(problem).value();
  EXPECT_EQ(allocation.prices[0], 0);
  for (std::size_t person = 0; person < problem.people(); ++person) {
    double best = 0;
    for (const AllocationOption& option : problem.options_of(person))
      best = std::max(best, option.value);
    const double value = allocation.chosen[person]
                             ? problem.options_of(person)[*allocation.chosen[person]].value
                             : 0;
    EXPECT_EQ(value, best);
  }
}

TEST(AllocationTest, AnEmptyBudgetGivesOnlyWhatCostsNothing) {
  AllocationProblem problem;
  problem.options = {{0, 5, 1}, {0, 3, 0}, {0, -1, 0}};
  problem.ends = {1, 2, 3};
  problem.budgets = {0};
  problem.budgets_of_offer = {{0}};
  const Allocation allocation = allocate(problem).value();
  EXPECT_EQ(allocation.chosen[0], std::nullopt);
  EXPECT_THAT(allocation.chosen[1], Optional(0));
  EXPECT_EQ(allocation.chosen[2], std::nullopt) << "it would lose orders";
}

// What one offer saves pays for another.
TEST(AllocationTest, NegativeCostsPayForOthers) {
  AllocationProblem problem;
  problem.options = {{0, 5, 2}, {0, -1, -3}};
  problem.ends = {1, 2};
  problem.budgets = {0};
  problem.budgets_of_offer = {{0}};
  const Allocation allocation = allocate(problem).value();
  EXPECT_THAT(allocation.chosen[0], Optional(0));
  EXPECT_THAT(allocation.chosen[1], Optional(0));
  EXPECT_EQ(allocation.value, 4);
  EXPECT_EQ(allocation.spent[0], -1);
}

TEST(AllocationTest, NobodyIsAnAnswer) {
  AllocationProblem problem;
  problem.budgets = {10};
  EXPECT_EQ(allocate(problem)->value, 0);
}

// The batch hands its prices to the decision that is made for one person.
TEST(AllocationTest, OnePersonAtTheBatchesPricesGetsWhatTheBatchChose) {
  const AllocationProblem problem = drawn(2'000, 3, 0.2, 5);
  const Allocation allocation = allocate(problem).value();
  int differing = 0;
  for (std::size_t person = 0; person < problem.people(); ++person) {
    const auto online =
        best_option(problem.options_of(person), problem.budgets_of_offer, allocation.prices);
    differing += online == allocation.chosen[person] ? 0 : 1;
  }
  EXPECT_LE(differing, 20) << "one of a hundred: those who got what was left";
}

TEST(AllocationTest, RefusesBudgetsBelowNoughtAndOffersThatAreNone) {
  AllocationProblem problem = drawn(3, 2, 0.5, 1);
  problem.budgets[0] = -1;
  EXPECT_THAT(std::string(message_of(allocate(problem).status())),
              testing::HasSubstr("budget 0 must be at least 0, got -1"));
  problem = drawn(3, 2, 0.5, 1);
  problem.options[1].value = std::nan("");
  EXPECT_FALSE(allocate(problem).ok());
  problem = drawn(3, 2, 0.5, 1);
  problem.options[1].offer = 2;
  EXPECT_FALSE(allocate(problem).ok());
  problem = drawn(3, 2, 0.5, 1);
  problem.budgets_of_offer[0] = {1};
  EXPECT_FALSE(allocate(problem).ok());
  problem.budgets_of_offer[0] = {0, 0};
  EXPECT_THAT(std::string(message_of(allocate(problem).status())),
              testing::HasSubstr("offer 0 draws from budget 0 twice"));
  problem = drawn(3, 2, 0.5, 1);
  problem.ends.pop_back();
  EXPECT_FALSE(allocate(problem).ok());
  problem = drawn(3, 2, 0.5, 1);
  problem.budgets.resize(AllocationProblem::k_budgets_max + 1);
  EXPECT_FALSE(allocate(problem).ok());
}

struct Day {
  double budget = 3'000;
  double people = 20'000;
  double forecast_error = 0;  // how far the evening's traffic is above what was expected
  double first_price = 0;
};

// What a day of 1,440 minutes spends when each visitor takes an offer at the price of the minute.
double spent_in(const Day& day, std::uint64_t seed) {
  Random random(seed);
  const auto expected = [](int minute) {
    return minute < 0 ? 0.0 : (1 + 0.8 * std::sin((minute - 500) * 2 * 3.14159265 / 1440)) / 1440;
  };
  double left = 0;
  for (int minute = 0; minute < 1440; ++minute) left += expected(minute);
  Pacer pacer =
      Pacer::create({.budget = day.budget, .first_price = day.first_price, .scale = 1}).value();
  double spent = 0;
  for (int minute = 0; minute < 1440; ++minute) {
    const double share = expected(minute);
    left -= share;
    const double rate = day.people * share * (minute > 900 ? 1 + day.forecast_error : 1);
    double now = 0;
    for (auto i = static_cast<int>(rate + random.uniform()); i > 0; --i) {
      const double cost = 0.2 + 0.6 * random.uniform();
      const double value = 1.2 * random.uniform();
      // The ledger refuses what the budget no longer pays.
      if (value - pacer.price() * cost > 0 && spent + now + cost <= day.budget) now += cost;
    }
    spent += now;
    pacer.update(now, share, left);
  }
  return spent;
}

TEST(PacerTest, ADayEndsWithinTwoPercentOfItsBudget) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_NEAR(spent_in({}, seed), 3'000, 60) << seed;
    EXPECT_NEAR(spent_in({.first_price = 4}, seed), 3'000, 60) << "a price far too high, " << seed;
    EXPECT_NEAR(spent_in({.forecast_error = 0.3}, seed), 3'000, 60) << "a busy evening, " << seed;
    EXPECT_NEAR(spent_in({.forecast_error = -0.3}, seed), 3'000, 60) << "a quiet one, " << seed;
  }
}

TEST(PacerTest, PaysWhatIsAskedWhenTheBudgetIsLargerThanTheDay) {
  EXPECT_LT(spent_in({.budget = 1e6}, 1), 1e6);
  Pacer pacer = Pacer::create({.budget = 100, .first_price = 1}).value();
  for (int i = 0; i < 50; ++i) pacer.update(0.01, 0.01, 1 - 0.01 * (i + 1));
  EXPECT_EQ(pacer.price(), 0);
}

TEST(PacerTest, RefusesOptionsOutsideTheirRanges) {
  EXPECT_FALSE(Pacer::create({.budget = 0}).ok());
  EXPECT_FALSE(Pacer::create({.budget = 1, .first_price = -1}).ok());
  EXPECT_FALSE(Pacer::create({.budget = 1, .scale = 0}).ok());
  EXPECT_FALSE(Pacer::create({.budget = 1, .rate = 1.5}).ok());
  EXPECT_FALSE(Pacer::create({.budget = 1, .ratio_max = 1}).ok());
}

}  // namespace
}  // namespace vitrine::training
