// Probabilities that sum to one, keep their floor, and follow the values.
#include "training/uplift/exploration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

using testing::ElementsAre;

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(ExplorationTest, WeighsByTheInverseGapThenAddsTheFloor) {
  const ExplorationOptions options{.gamma = 10, .floor = 0.01};
  const std::vector<double> p = propensities_of(std::vector<double>{0.1, 0.5, 0.0}, options);
  const double first = 1.0 / (3 + 10 * 0.4);
  const double third = 1.0 / (3 + 10 * 0.5);
  EXPECT_NEAR(p[0], 0.97 * first + 0.01, 1e-12);
  EXPECT_NEAR(p[1], 0.97 * (1 - first - third) + 0.01, 1e-12);
  EXPECT_NEAR(p[2], 0.97 * third + 0.01, 1e-12);
}

TEST(ExplorationTest, EveryArmKeepsItsFloorAndAllSumToOne) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    std::vector<double> values(1 + random.below(10));
    for (double& value : values) value = 100 * random.normal();
    const std::vector<double> p =
        propensities_of(values, {.gamma = std::pow(10.0, 9 * random.uniform())});
    EXPECT_NEAR(sum_of(p), 1, 1e-12);
    for (const double one : p) EXPECT_GE(one, 0.01);
    EXPECT_EQ(std::ranges::max_element(p) - p.begin(),
              std::ranges::max_element(values) - values.begin());
  }
}

TEST(ExplorationTest, WithoutGammaOrDifferencesAllArmsAreAlike) {
  for (const double one : propensities_of(std::vector<double>{1, 2, 3, 4}, {.gamma = 0}))
    EXPECT_NEAR(one, 0.25, 1e-12);
  for (const double one : propensities_of(std::vector<double>{2, 2, 2, 2}, {.gamma = 1e6}))
    EXPECT_NEAR(one, 0.25, 1e-12);
}

TEST(ExplorationTest, ALoneArmIsCertain) {
  EXPECT_THAT(propensities_of(std::vector<double>{-3}, {}), ElementsAre(1));
}

TEST(ExplorationTest, DrawsArmsAsOftenAsTheirPropensitiesSay) {
  const std::vector<double> p = propensities_of(std::vector<double>{0, 0.02, 0.01}, {});
  Random random(2);
  std::vector<double> drawn(3);
  constexpr int k_draws = 50'000;
  for (int i = 0; i < k_draws; ++i) ++drawn[drawn_arm(p, random.uniform())];
  for (std::size_t arm = 0; arm < 3; ++arm)
    EXPECT_NEAR(drawn[arm] / k_draws, p[arm], 4 * std::sqrt(p[arm] * (1 - p[arm]) / k_draws));
  EXPECT_EQ(drawn_arm(p, std::nextafter(1.0, 0.0)), 2);
}

TEST(ExplorationTest, TheShortlistIsTheBestInOrder) {
  const std::vector<double> values = {1, 5, 5, -2, 7};
  EXPECT_THAT(shortlist_of(values, {.shortlist = 3}), ElementsAre(4, 1, 2));
  EXPECT_THAT(shortlist_of(values, {.shortlist = 9}), ElementsAre(4, 1, 2, 0, 3));
}

// Three offers and none, of which the second is best: what is lost against always choosing it falls
// when values are learnt from what was drawn.
TEST(ExplorationTest, LearnsTheBestArmWithinAThousandDecisions) {
  const std::vector<double> truth = {0.05, 0.20, 0.12, 0.08};
  Random random(3);
  std::vector<double> sums(4);
  std::vector<double> counts(4, 1);
  double late = 0;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    std::vector<double> values(4);
    for (std::size_t arm = 0; arm < 4; ++arm) values[arm] = sums[arm] / counts[arm];
    const std::vector<double> p = propensities_of(values, {.gamma = gamma_after(i, 4, 1)});
    const std::uint32_t arm = drawn_arm(p, random.uniform());
    sums[arm] += random.uniform() < truth[arm] ? 1 : 0;
    ++counts[arm];
    if (i >= 1'000) late += p[1];
  }
  EXPECT_GT(late / 1'000, 0.6) << "the best of four, where chance alone gives a quarter";
}

TEST(ExplorationTest, RefusesFloorsThatLeaveTheValuesNothing) {
  EXPECT_TRUE(check(ExplorationOptions{}).ok());
  EXPECT_TRUE(check({.floor = 0.05, .shortlist = 9}).ok());
  EXPECT_THAT(std::string(message_of(check({.floor = 0.051, .shortlist = 9}))),
              testing::HasSubstr("floor must be above 0 and at most 0.05"));
  EXPECT_FALSE(check({.floor = 0}).ok());
  EXPECT_FALSE(check({.gamma = -1}).ok());
  EXPECT_FALSE(check({.gamma = 2e9}).ok());
  EXPECT_FALSE(check({.shortlist = 0}).ok());
}

}  // namespace
}  // namespace vitrine::training
