#include "server/audiences/auc.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace vitrine::audiences {
namespace {

TEST(AucTest, CountsPairsInTheRightOrderAndTiesHalf) {
  EXPECT_EQ(auc_of(std::vector<float>{3, 4}, std::vector<float>{1, 2}).value, 1);
  EXPECT_EQ(auc_of(std::vector<float>{1, 2}, std::vector<float>{3, 4}).value, 0);
  EXPECT_EQ(auc_of(std::vector<float>{1, 1}, std::vector<float>{1, 1}).value, 0.5);
  // 3 > 1, 3 > 2, 3 = 3; 2 > 1, 2 = 2, 2 < 3: 4 of 6.
  EXPECT_DOUBLE_EQ(auc_of(std::vector<float>{3, 2}, std::vector<float>{1, 2, 3}).value, 4.0 / 6);
}

TEST(AucTest, OfTooFewNothingIsKnown) {
  const Auc auc = auc_of(std::vector<float>{1}, std::vector<float>{0, 0});
  EXPECT_EQ(auc.low, 0);
  EXPECT_EQ(auc.high, 1);
}

// Scores N(1, 1) against N(0, 1): the truth is 0.7602.
TEST(AucTest, TheIntervalHoldsTheTruthAsOftenAsItSays) {
  constexpr double k_truth = 0.76025;
  constexpr int k_rounds = 1000;
  Random chance(7);
  int held = 0;
  for (int round = 0; round < k_rounds; ++round) {
    std::vector<float> positives;
    std::vector<float> negatives;
    for (int i = 0; i < 60; ++i) positives.push_back(static_cast<float>(chance.normal() + 1));
    for (int i = 0; i < 200; ++i) negatives.push_back(static_cast<float>(chance.normal()));
    const Auc auc = auc_of(positives, negatives);
    if (auc.low <= k_truth && k_truth <= auc.high) ++held;
  }
  EXPECT_GT(held, k_rounds * 0.92);
  EXPECT_LT(held, k_rounds * 0.98);
}

}  // namespace
}  // namespace vitrine::audiences
