#include "training/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace vitrine::training {
namespace {

std::vector<float> normal_numbers(std::size_t count, double mean, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(mean + random.normal());
  return numbers;
}

TEST(BootstrapTest, TheIntervalOfAMeanIsAboutTwoStandardErrorsToEachSide) {
  const std::vector<float> numbers = normal_numbers(400, 3, 1);
  const std::span<const float> series[] = {numbers};

  const Interval interval = bootstrap_means(series).front();

  const double error = 1 / std::sqrt(400.0);
  EXPECT_NEAR(interval.mean, 3, 3 * error);
  EXPECT_NEAR(interval.mean - interval.low, 1.96 * error, 0.3 * error);
  EXPECT_NEAR(interval.high - interval.mean, 1.96 * error, 0.3 * error);
}

TEST(BootstrapTest, AConstantSeriesHasNoWidth) {
  const std::vector<float> numbers(50, 0.25F);
  const std::span<const float> series[] = {numbers};

  const Interval interval = bootstrap_means(series).front();

  EXPECT_EQ(interval.mean, 0.25);
  EXPECT_EQ(interval.low, 0.25);
  EXPECT_EQ(interval.high, 0.25);
}

TEST(BootstrapTest, SeedDecidesAndThreadsDoNot) {
  const std::vector<float> numbers = normal_numbers(100, 0, 2);
  const std::span<const float> series[] = {numbers};

  const Interval one = bootstrap_means(series, {.seed = 5, .threads = 1}).front();
  const Interval two = bootstrap_means(series, {.seed = 5, .threads = 2}).front();
  const Interval other = bootstrap_means(series, {.seed = 6, .threads = 1}).front();

  EXPECT_EQ(one.low, two.low);
  EXPECT_EQ(one.high, two.high);
  EXPECT_NE(one.low, other.low);
}

// Users differ far more among each other than the two rankings do on any of them.
TEST(BootstrapTest, ThePairedDifferenceSeesWhatTwoIntervalsHide) {
  const std::vector<float> users = normal_numbers(200, 0, 3);
  std::vector<float> better = users;
  for (float& number : better) number += 0.05F;
  const std::vector<float> gain = differences(better, users);
  const std::span<const float> series[] = {better, users, gain};

  const std::vector<Interval> intervals = bootstrap_means(series);

  EXPECT_LT(intervals[0].low, intervals[1].high);
  EXPECT_GT(intervals[2].low, 0.04);
}

TEST(BootstrapTest, NobodyGivesZeros) {
  const std::vector<float> nothing;
  const std::span<const float> series[] = {nothing};
  EXPECT_EQ(bootstrap_means(series).front().high, 0);
}

}  // namespace
}  // namespace vitrine::training
