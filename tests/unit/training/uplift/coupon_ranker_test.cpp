// What is learnt of coupons from those that were redeemed, and of when it is known.
#include "training/uplift/coupon_ranker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace vitrine::training {
namespace {

constexpr std::uint32_t k_coupons = 4;

// One campaign of four coupons, each good for one product of a type of its own; the last product
// is the shop's own brand. Nobody bought anything.
CouponBooks alike() {
  CouponBooks books;
  books.people = {"ann", "bob"};
  books.campaigns_of = {{0}, {0}};
  books.group_of_type = {0, 0, 0, 0};
  books.department_count = 1;
  books.campaigns = {{"spring", "A", 1, 100, {}}};
  for (std::uint32_t i = 0; i < k_coupons; ++i) {
    books.products.push_back({i, 0, i + 1 == k_coupons});
    books.campaigns[0].coupons.push_back(i);
    books.coupons.push_back({0, 0, 1, 100, {i}});
  }
  return books;
}

class CouponRankerTest : public testing::Test {
 protected:
  void redeem(CouponRanker& ranker, Day day, std::uint32_t taken) {
    ranker.advance(day);
    Choice choice = ranker.describe(0, candidates_);
    choice.taken = taken;
    ranker.learn(candidates_, choice);
  }

  std::vector<std::uint32_t> candidates_ = {0, 1, 2, 3};
  CouponBooks books_ = alike();
};

TEST_F(CouponRankerTest, WithoutRedemptionsAllAreAlike) {
  CouponRanker ranker(books_, {});
  ranker.advance(2);
  const std::vector<double> scores = ranker.scores(ranker.describe(0, candidates_));
  ASSERT_EQ(scores.size(), k_coupons);
  for (const double score : scores) EXPECT_EQ(score, scores[0]);
  EXPECT_TRUE(ranker.scores(ranker.describe(0, {})).empty());
}

// Four alike: each redemption of one was to be expected of every one by a quarter.
TEST_F(CouponRankerTest, AppealIsRedemptionsAgainstExpectedOnesOfTheDaysBefore) {
  CouponRanker ranker(books_, {.refit_days = 1'000});
  redeem(ranker, 2, 1);
  redeem(ranker, 2, 1);
  EXPECT_EQ(ranker.appeal(1), 0) << "the day itself is not known";
  ranker.advance(3);
  EXPECT_NEAR(ranker.appeal(1), std::log((2 + 1) / (2 * 0.25 + 1)), 1e-12);
  EXPECT_NEAR(ranker.appeal(0), std::log(1 / (2 * 0.25 + 1)), 1e-12);
}

// Coupon 2 was redeemed as often as coupon 1 though half as many had it.
TEST_F(CouponRankerTest, ACouponThatFewHadIsNotHeldBackByThat) {
  CouponRanker ranker(books_, {.refit_days = 1'000});
  for (Day day = 2; day < 12; ++day) {
    candidates_ = {0, 1, 3};
    redeem(ranker, day, 1);
    candidates_ = {0, 1, 2, 3};
    redeem(ranker, day, 2);
  }
  ranker.advance(12);
  EXPECT_EQ(ranker.history().redemptions_of(1), ranker.history().redemptions_of(2));
  EXPECT_GT(ranker.appeal(2), ranker.appeal(1) + 0.2);
}

TEST_F(CouponRankerTest, RanksWhatIsRedeemedFirstAndTheOwnBrandByWhatBecameOfIt) {
  CouponRanker ranker(books_, {.ridge = 1, .refit_days = 7});
  for (Day day = 2; day < 60; ++day) redeem(ranker, day, day % 3 == 0 ? 0 : 1);
  ranker.advance(60);
  const std::vector<double> scores = ranker.scores(ranker.describe(1, candidates_));
  EXPECT_GT(scores[1], scores[0]);
  EXPECT_GT(scores[0], scores[2]);
  EXPECT_GT(scores[2], scores[3]);
}

// Weights move when a refit is due, not before.
TEST_F(CouponRankerTest, LearnsAnewEveryFewDays) {
  CouponRanker ranker(books_, {.ridge = 1, .refit_days = 7});
  redeem(ranker, 2, 1);
  ranker.advance(8);
  for (const double score : ranker.scores(ranker.describe(0, candidates_))) EXPECT_EQ(score, 0);
  ranker.advance(9);
  const std::vector<double> scores = ranker.scores(ranker.describe(0, candidates_));
  EXPECT_NE(scores[3], scores[1]);
}

}  // namespace
}  // namespace vitrine::training
