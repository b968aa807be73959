// Kept by chance, always the same, and independent from campaign to campaign.
#include "training/uplift/holdout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr std::uint64_t k_people = 100'000;

HoldoutPlan plan_of(std::string campaign) {
  return {.campaign_seed = std::move(campaign), .universal_seed = "2026"};
}

TEST(HoldoutTest, KeepsTwoPercentFromEverythingAndATenthOfTheRestFromTheCampaign) {
  const HoldoutPlan plan = plan_of("spring");
  ASSERT_TRUE(check(plan).ok());
  std::map<Assignment, double> count;
  for (std::uint64_t person = 0; person < k_people; ++person) ++count[assignment_of(person, plan)];
  // Four standard errors of a share of 100,000.
  EXPECT_NEAR(count[Assignment::universal_control] / k_people, 0.02,
              4 * std::sqrt(.02 * .98 / k_people));
  EXPECT_NEAR(count[Assignment::holdout] / k_people, 0.098, 4 * std::sqrt(.098 * .902 / k_people));
}

TEST(HoldoutTest, TheUniversalGroupIsTheSameUnderEveryCampaign) {
  for (std::uint64_t person = 0; person < 10'000; ++person) {
    EXPECT_EQ(assignment_of(person, plan_of("spring")) == Assignment::universal_control,
              assignment_of(person, plan_of("autumn")) == Assignment::universal_control);
  }
}

TEST(HoldoutTest, TwoCampaignsDrawIndependently) {
  double first = 0;
  double both = 0;
  for (std::uint64_t person = 0; person < k_people; ++person) {
    const bool in_first = assignment_of(person, plan_of("spring")) == Assignment::holdout;
    first += in_first ? 1 : 0;
    both += in_first && assignment_of(person, plan_of("autumn")) == Assignment::holdout ? 1 : 0;
  }
  EXPECT_NEAR(both / first, 0.1, 4 * std::sqrt(.1 * .9 / first));
}

// A larger share keeps whom the smaller one kept, so that a plan can be widened while it runs.
TEST(HoldoutTest, AWiderHoldoutContainsTheNarrowOne) {
  HoldoutPlan wide = plan_of("spring");
  wide.share = 0.3;
  for (std::uint64_t person = 0; person < 10'000; ++person) {
    if (assignment_of(person, plan_of("spring")) != Assignment::holdout) continue;
    EXPECT_EQ(assignment_of(person, wide), Assignment::holdout);
  }
}

// Stored campaigns rely on these for ever.
TEST(HoldoutTest, PlacesNeverChange) {
  EXPECT_NEAR(place_of(1, "spring"), 0.289878145294, 1e-9);
  EXPECT_NEAR(place_of(2, "spring"), 0.550324209722, 1e-9);
  EXPECT_NEAR(place_of(1, "六一八"), 0.463648779480, 1e-9);
}

TEST(HoldoutTest, NoShareKeepsNobody) {
  const HoldoutPlan open{
      .campaign_seed = "", .share = 0, .universal_seed = "", .universal_share = 0};
  EXPECT_TRUE(check(open).ok());
  for (std::uint64_t person = 0; person < 1'000; ++person)
    EXPECT_EQ(assignment_of(person, open), Assignment::offered);
}

TEST(HoldoutTest, RefusesSharesPastAHalfAndSharesWithoutSeed) {
  HoldoutPlan plan = plan_of("spring");
  plan.share = 0.51;
  EXPECT_THAT(std::string(message_of(check(plan))),
              testing::HasSubstr("holdout.share must be from 0 to 0.5"));
  plan.share = -0.1;
  EXPECT_FALSE(check(plan).ok());
  plan.share = std::nan("");
  EXPECT_FALSE(check(plan).ok());
  plan.share = 0.5;
  EXPECT_TRUE(check(plan).ok());
  plan.universal_seed.clear();
  EXPECT_THAT(std::string(message_of(check(plan))),
              testing::HasSubstr("universal_share of 0.02 needs a seed"));
}

}  // namespace
}  // namespace vitrine::training
