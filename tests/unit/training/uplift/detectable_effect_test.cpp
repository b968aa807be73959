// What a campaign can show, and what it may say afterwards.
#include "training/uplift/detectable_effect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

GroupSums converted(std::uint64_t people, std::uint64_t conversions) {
  GroupSums group;
  for (std::uint64_t i = 0; i < people; ++i) group.add(i < conversions ? 1 : 0);
  return group;
}

TEST(DetectableEffectTest, TenThousandPeopleAtFivePercentShowFortyOnePercentAtATenthHoldout) {
  const CampaignSize size{.people = 10'000, .holdout_share = 0.1, .conversion = 0.05};
  EXPECT_NEAR(detectable_effect(size)->relative, 0.41, 0.005);
}

TEST(DetectableEffectTest, AHalfAsHoldoutShowsTwentyFourPercent) {
  const CampaignSize size{.people = 10'000, .holdout_share = 0.5, .conversion = 0.05};
  EXPECT_NEAR(detectable_effect(size)->relative, 0.24, 0.005);
  EXPECT_NEAR(detectable_effect(size)->absolute, 0.0122, 0.0001);
}

TEST(DetectableEffectTest, IsFoundFourTimesOfFive) {
  const CampaignSize size{.people = 4'000, .holdout_share = 0.3, .conversion = 0.2};
  const double effect = detectable_effect(size)->absolute;
  Random random(1);
  int found = 0;
  for (int campaign = 0; campaign < 400; ++campaign) {
    GroupSums offered;
    GroupSums holdout;
    for (int i = 0; i < 2'800; ++i) offered.add(random.uniform() < 0.2 + effect ? 1 : 0);
    for (int i = 0; i < 1'200; ++i) holdout.add(random.uniform() < 0.2 ? 1 : 0);
    found += effect_of(offered, holdout).verdict == Verdict::better ? 1 : 0;
  }
  EXPECT_NEAR(found / 400.0, 0.8, 0.06);
}

TEST(DetectableEffectTest, RefusesWhatLeavesAGroupEmpty) {
  for (const CampaignSize& size :
       {CampaignSize{.people = 5, .holdout_share = 0.1, .conversion = 0.1},
        CampaignSize{.people = 100, .holdout_share = 0, .conversion = 0.1},
        CampaignSize{.people = 100, .holdout_share = 1, .conversion = 0.1},
        CampaignSize{.people = 100, .holdout_share = 0.1, .conversion = 0},
        CampaignSize{.people = 100, .holdout_share = 0.1, .conversion = 1}}) {
    EXPECT_FALSE(detectable_effect(size).ok());
  }
  const CampaignSize size{.people = 5, .holdout_share = 0.1, .conversion = 0.1};
  EXPECT_THAT(std::string(message_of(detectable_effect(size).status())),
              testing::HasSubstr("people"));
}

// Hillstrom's e-mail experiment: conversion of "men's" and of nobody, from the published table.
TEST(CampaignEffectTest, MensMailOfHillstromIsBetterThanNone) {
  const CampaignEffect effect = effect_of(converted(21'307, 267), converted(21'306, 122));
  EXPECT_EQ(effect.verdict, Verdict::better);
  EXPECT_NEAR(effect.per_person, 0.0125311 - 0.0057261, 1e-7);
  EXPECT_NEAR(effect.total, 145, 0.1);
  EXPECT_NEAR((effect.high - effect.low) / 2 / 1.96, 0.00092, 0.00001);
}

TEST(CampaignEffectTest, SaysWorseWhenTheHoldoutDidBetter) {
  EXPECT_EQ(effect_of(converted(9'000, 300), converted(1'000, 80)).verdict, Verdict::worse);
}

TEST(CampaignEffectTest, CannotTellWhenTheIntervalHoldsNought) {
  const CampaignEffect effect = effect_of(converted(9'000, 470), converted(1'000, 50));
  EXPECT_EQ(effect.verdict, Verdict::cannot_tell);
  EXPECT_LT(effect.low, 0);
  EXPECT_GT(effect.high, 0);
}

// Five conversions against none would give a normal interval above 0.
TEST(CampaignEffectTest, CannotTellFromTooFew) {
  const CampaignEffect few = effect_of(converted(1'000, 8), converted(1'000, 0));
  EXPECT_GT(few.low, 0);
  EXPECT_EQ(few.verdict, Verdict::cannot_tell);
  EXPECT_THAT(few.why, testing::HasSubstr("8 conversions"));
  const CampaignEffect small = effect_of(converted(1'000, 300), converted(99, 0));
  EXPECT_EQ(small.verdict, Verdict::cannot_tell);
  EXPECT_THAT(small.why, testing::HasSubstr("99 people"));
}

TEST(CampaignEffectTest, UpliftOpensAtFiveHundredConversionsAGroup) {
  EXPECT_EQ(conversions_missing(converted(9'000, 4'000), converted(1'000, 120)), 380);
  EXPECT_EQ(conversions_missing(converted(9'000, 4'000), converted(1'000, 500)), 0);
}

}  // namespace
}  // namespace vitrine::training
