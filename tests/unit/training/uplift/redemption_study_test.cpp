// What is foretold of a shop whose people are known, and that it is foretold.
#include "training/uplift/redemption_study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/status.h"
#include "tests/unit/training/uplift/coupon_shop.h"

namespace vitrine::training {
namespace {

constexpr Day k_split = 120;  // the fourth of eight campaigns

const WhoRedeems::Ranking& ranking(const WhoRedeems& study, const std::string& name) {
  return *std::ranges::find(study.rankings, name, &WhoRedeems::Ranking::name);
}

const WhichCoupon::Ranking& ranking(const WhichCoupon::Part& part, const std::string& name) {
  return *std::ranges::find(part.rankings, name, &WhichCoupon::Ranking::name);
}

TEST(WhoRedeemsTest, KnowsPeopleAndTastesBetterThanEitherAlone) {
  const WhoRedeems study =
      study_who_redeems(coupon_shop(), {.from = k_split, .who_ridge = 10}).value();
  const double personal = ranking(study, "personal").auc.mean;
  EXPECT_GT(personal, 0.85);
  EXPECT_GT(personal, ranking(study, "redeemed before").auc.mean + 0.05);
  EXPECT_GT(personal, ranking(study, "bought before").auc.mean + 0.05);
  EXPECT_GT(ranking(study, "personal").top_decile.mean, 0.7);
}

TEST(WhoRedeemsTest, ExpectsAboutAsManyRedemptionsAsThereAre) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const WhoRedeems study =
        study_who_redeems(coupon_shop({.seed = seed}), {.from = k_split}).value();
    const double ratio = study.expected / static_cast<double>(study.redeemed);
    EXPECT_GT(ratio, 0.67) << seed;
    EXPECT_LT(ratio, 1.5) << seed;
  }
}

// The interval of a ranking that knows nothing holds what chance gives.
TEST(WhoRedeemsTest, IntervalsHoldTheirMeansAndDoNotDependOnTheMachine) {
  const CouponBooks books = coupon_shop();
  const WhoRedeems one = study_who_redeems(books, {.from = k_split}).value();
  const WhoRedeems two = study_who_redeems(books, {.from = k_split}).value();
  for (std::size_t i = 0; i < one.rankings.size(); ++i) {
    EXPECT_LT(one.rankings[i].auc.low, one.rankings[i].auc.mean);
    EXPECT_GT(one.rankings[i].auc.high, one.rankings[i].auc.mean);
    EXPECT_EQ(one.rankings[i].auc.low, two.rankings[i].auc.low);
    EXPECT_EQ(one.rankings[i].top_decile.high, two.rankings[i].top_decile.high);
  }
}

// The sum of all chances of the campaigns up to one may not change with what came afterwards.
TEST(WhoRedeemsTest, WhatComesLaterChangesNothingThatWasSaidBefore) {
  const CouponBooks books = coupon_shop();
  CouponBooks cut = books;
  constexpr Day k_last = 180;
  const auto is_late = [](const auto& one) { return one.day > k_last; };
  std::erase_if(cut.grants, is_late);
  CouponBooks blind = cut;
  const auto is_unknown = [](const auto& one) { return one.day >= k_last; };
  std::erase_if(blind.purchases, is_unknown);
  std::erase_if(blind.redemptions, is_unknown);
  const double seeing = study_who_redeems(cut, {.from = k_split})->expected;
  const double blinded = study_who_redeems(blind, {.from = k_split})->expected;
  EXPECT_EQ(seeing, blinded);
  CouponBooks changed = cut;
  std::erase_if(changed.purchases, [](const auto& one) { return one.day >= k_last - 60; });
  EXPECT_NE(seeing, study_who_redeems(changed, {.from = k_split})->expected);
}

TEST(WhoRedeemsTest, RefusesASplitAfterTheLastGrant) {
  EXPECT_THAT(std::string(message_of(study_who_redeems(coupon_shop(), {.from = 9'999}).status())),
              testing::HasSubstr("0 of 0 grants"));
}

TEST(WhichCouponTest, FindsTheCouponOfThePreferredProducts) {
  const WhichCoupon study =
      study_which_coupon(coupon_shop(), {.from = k_split, .cutoff = 2}).value();
  const WhichCoupon::Part& all = study.parts.front();
  EXPECT_EQ(all.candidates, 12);
  EXPECT_GT(ranking(all, "personal").hit.mean, 0.6);
  EXPECT_GT(ranking(all, "personal").hit.mean, ranking(all, "popular").hit.mean + 0.2);
  // Equal scores share their places: two of twelve, and the mean of 1/1 to 1/12.
  EXPECT_NEAR(ranking(all, "random").hit.mean, 2.0 / 12, 1e-9);
  EXPECT_NEAR(ranking(all, "random").reciprocal_rank.mean, 3.103210678 / 12, 1e-9);
}

TEST(WhichCouponTest, PrintsTypesApartAndTheyAddUp) {
  const WhichCoupon study = study_which_coupon(coupon_shop(), {.from = k_split}).value();
  ASSERT_EQ(study.parts.size(), 3);
  EXPECT_EQ(study.parts[1].type, "A");
  EXPECT_EQ(study.parts[2].type, "B");
  EXPECT_EQ(study.parts[0].redemptions, study.parts[1].redemptions + study.parts[2].redemptions);
}

// A coupon outside the person's campaigns was not among what could be ranked.
TEST(WhichCouponTest, LeavesOutWhatThePersonWasNotOffered) {
  CouponBooks books = coupon_shop();
  const std::uint64_t before = study_which_coupon(books, {.from = k_split})->parts[0].redemptions;
  const std::uint32_t person = books.redemptions.back().person;
  const auto own = std::ranges::count_if(books.redemptions, [&](const auto& one) {
    return one.person == person && one.day >= k_split;
  });
  books.campaigns_of[person].clear();
  EXPECT_EQ(study_which_coupon(books, {.from = k_split})->parts[0].redemptions,
            before - static_cast<std::uint64_t>(own));
}

// What is redeemed on one day is ranked before any of it is learnt from.
TEST(WhichCouponTest, TheOrderWithinADayChangesNothing) {
  const CouponBooks books = coupon_shop();
  CouponBooks turned = books;
  std::ranges::reverse(turned.redemptions);
  std::ranges::stable_sort(turned.redemptions, {}, &CouponBooks::Redemption::day);
  const WhichCoupon one = study_which_coupon(books, {.from = k_split, .cutoff = 2}).value();
  const WhichCoupon two = study_which_coupon(turned, {.from = k_split, .cutoff = 2}).value();
  for (const char* name : {"personal", "popular", "bought before"}) {
    EXPECT_NEAR(ranking(one.parts[0], name).reciprocal_rank.mean,
                ranking(two.parts[0], name).reciprocal_rank.mean, 1e-9)
        << name;
  }
}

TEST(WhichCouponTest, RefusesASplitAfterTheLastRedemption) {
  EXPECT_FALSE(study_which_coupon(coupon_shop(), {.from = 9'999}).ok());
}

}  // namespace
}  // namespace vitrine::training
