// Only what came before a day is known on it.
#include "training/uplift/coupon_history.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vitrine::training {
namespace {

// Two types in one group; a coupon good for one of two products of the first type, and a campaign
// of two coupons. Person 0 bought the covered product on day 3 and the other type on day 4.
CouponBooks small_books() {
  CouponBooks books;
  books.people = {"ann", "bob"};
  books.campaigns_of = {{0}, {0}};
  books.group_of_type = {0, 0};
  books.products = {{0, 0}, {0, 0}, {1, 0}};
  books.department_count = 2;
  books.campaigns = {{"spring", "A", 2, 30, {0, 1}}};
  books.coupons = {{0, 0, 2, 30, {0}}, {0, 1, 2, 30, {2}}};
  books.purchases = {{3, 0, 0, false}, {4, 0, 2, true}, {5, 1, 1, false}};
  books.redemptions = {{6, 0, 0}, {6, 0, 1}, {8, 0, 1}};
  return books;
}

TEST(CouponHistoryTest, TheDayItselfIsNotKnown) {
  const CouponBooks books = small_books();
  CouponHistory history(books);
  history.advance(3);
  EXPECT_EQ(history.covered_purchases(0, 0), 0);
  EXPECT_EQ(history.covered_recency(0, 0), 0);
  history.advance(4);
  EXPECT_EQ(history.covered_purchases(0, 0), 1);
  EXPECT_EQ(history.covered_purchases(1, 0), 0);
  EXPECT_NEAR(history.covered_recency(0, 0), std::exp(-1.0 / 60), 1e-12);
  history.advance(6);
  EXPECT_EQ(history.redemptions_by(0), 0);
  history.advance(7);
  EXPECT_EQ(history.redemptions_by(0), 2);
  EXPECT_EQ(history.redeeming_days(0), 1);
  history.advance(9);
  EXPECT_EQ(history.redeeming_days(0), 2);
  EXPECT_NEAR(history.redeeming_recency(0), std::exp(-1.0 / 60), 1e-12);
  EXPECT_EQ(history.redeeming_recency(1), 0);
}

TEST(CouponHistoryTest, DemandIsPropensityTimesTheCoveredPartOfSales) {
  const CouponBooks books = small_books();
  CouponHistory history(books);
  history.advance(6);
  // Ann: 2 purchases, all of the one group; of the type 1 of 2, drawn towards the shop's 2 of 3 as
  // by 3 purchases; the coupon covers one of the type's two sales.
  const double of_type = (1 + 3 * 2.0 / 3) / (2 + 3);
  EXPECT_NEAR(history.demand(0, 0), of_type / 2, 1e-12);
  const double bobs = (1 + 3 * 2.0 / 3) / (1 + 3);
  EXPECT_NEAR(history.demand(1, 0), bobs / 2, 1e-12);
}

TEST(CouponHistoryTest, SharesStartAlikeAndFollowRedemptions) {
  const CouponBooks books = small_books();
  CouponHistory history(books);
  history.advance(1);
  EXPECT_DOUBLE_EQ(history.share_of_campaign(0), 0.5);
  EXPECT_EQ(history.campaigns_before(0), 0);
  EXPECT_FALSE(history.used_coupons_in_purchases(0));
  history.advance(9);
  EXPECT_DOUBLE_EQ(history.share_of_campaign(1), 2.5 / 4);
  EXPECT_DOUBLE_EQ(history.department_share(1), 3.0 / 13);
  EXPECT_EQ(history.campaigns_before(0), 1);
  EXPECT_TRUE(history.used_coupons_in_purchases(0));
}

}  // namespace
}  // namespace vitrine::training
