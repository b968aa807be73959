#include "server/coupons/spread.h"

#include <gmock/gmock.h>

#include "base/random.h"
#include "tests/unit/coupons/carts.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;

TEST(SpreadTest, HalvesAreRoundedUp) {
  EXPECT_EQ(share_of({25}, 1000, 10'000).minor, 3);
  EXPECT_EQ(share_of({24}, 1000, 10'000).minor, 2);
  EXPECT_EQ(share_of({1'000'000'000'000'000}, 9999, 10'000).minor, 999'900'000'000'000);
}

TEST(SpreadTest, WhatIsLeftGoesToWhoLostMostAndOfEqualsToTheFirst) {
  EXPECT_THAT(minors(spread({100}, std::vector<Money>{{100}, {100}, {100}})),
              ElementsAre(34, 33, 33));
  EXPECT_THAT(minors(spread({10}, std::vector<Money>{{1}, {13}, {5}})), ElementsAre(0, 7, 3));
  EXPECT_THAT(minors(spread({0}, std::vector<Money>{{0}, {0}})), ElementsAre(0, 0));
}

TEST(SpreadTest, PartsSumExactlyAndNoneIsAboveItsWeight) {
  Random random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Money> weights(1 + random.below(9));
    std::int64_t sum = 0;
    for (Money& weight : weights) {
      weight.minor =
          static_cast<std::int64_t>(random.below(round % 2 == 0 ? 7 : 1'000'000'000'000));
      sum += weight.minor;
    }
    const Money total{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(sum) + 1))};
    const std::vector<Money> parts = spread(total, weights);
    std::int64_t spread_sum = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      ASSERT_GE(parts[i].minor, 0);
      ASSERT_LE(parts[i].minor, weights[i].minor);
      spread_sum += parts[i].minor;
    }
    ASSERT_EQ(spread_sum, total.minor);
  }
}

}  // namespace
}  // namespace vitrine::coupons
