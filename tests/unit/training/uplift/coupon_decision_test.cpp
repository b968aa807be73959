// One person, a few offers: what is decided, and with what probability.
#include "training/uplift/coupon_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/random.h"
#include "base/status.h"
#include "training/uplift/off_policy.h"

namespace vitrine::training {
namespace {

class CouponDecisionTest : public testing::Test {
 protected:
  CouponDecision decided(std::uint64_t person, double chance) const {
    return decide(request(person, chance), plan_, exploration_).value();
  }
  DecisionRequest request(std::uint64_t person, double chance) const {
    return {.person = person,
            .eligible = eligible_,
            .prices = prices_,
            .budgets_of_offer = budgets_of_offer_,
            .chance = chance};
  }

  HoldoutPlan plan_{.campaign_seed = "spring", .universal_seed = "2026"};
  ExplorationOptions exploration_{.gamma = 20};
  std::vector<AllocationOption> eligible_ = {{0, 1.0, 0.5}, {1, 0.9, 0.1}, {2, -0.2, 0.0}};
  std::vector<double> prices_ = {1.5};
  std::vector<std::vector<std::uint32_t>> budgets_of_offer_ = {{0}, {0}, {}};
};

// At a price of 1.5 the cheaper offer is the better one.
TEST_F(CouponDecisionTest, PutsTheOfferFirstThatIsWorthMostAtThePrices) {
  const CouponDecision decision = decided(1, 0.5);
  ASSERT_EQ(decision.arms.size(), 4);
  EXPECT_EQ(decision.arms[0].offer, 1);
  EXPECT_NEAR(decision.arms[0].score, 0.75, 1e-12);
  EXPECT_EQ(decision.arms[1].offer, 0);
  EXPECT_NEAR(decision.arms[1].score, 0.25, 1e-12);
  EXPECT_EQ(decision.arms[3].offer, std::nullopt);
  EXPECT_GT(decision.arms[0].propensity, 0.7);
  for (const CouponDecision::Arm& arm : decision.arms) EXPECT_GE(arm.propensity, 0.01);
}

TEST_F(CouponDecisionTest, HoldoutsAreDecidedLikeOthersAndGrantedNothing) {
  int ghosts = 0;
  for (std::uint64_t person = 0; person < 2'000; ++person) {
    const CouponDecision decision = decided(person, 0.0);
    EXPECT_EQ(decision.choice().offer, 1);
    EXPECT_EQ(decision.is_granted(), decision.assignment == Assignment::offered);
    ghosts += decision.is_granted() ? 0 : 1;
  }
  EXPECT_NEAR(ghosts / 2'000.0, 0.118, 0.03);  // 2 %, and a tenth of the others
}

TEST_F(CouponDecisionTest, WithoutOffersThereIsNone) {
  eligible_.clear();
  const CouponDecision decision = decided(1, 0.9);
  EXPECT_EQ(decision.choice().offer, std::nullopt);
  EXPECT_EQ(decision.choice().propensity, 1);
  EXPECT_FALSE(decision.is_granted());
}

TEST_F(CouponDecisionTest, AShortlistLeavesOutTheLeast) {
  exploration_.shortlist = 2;
  EXPECT_EQ(decided(1, 0.5).arms.size(), 3);
}

// The log of what is decided can be judged for another policy: the loop closes.
TEST_F(CouponDecisionTest, LoggedProbabilitiesJudgeThePolicyThatAlwaysGrantsTheBest) {
  const std::map<std::optional<std::uint32_t>, double> truth = {
      {0, 0.30}, {1, 0.45}, {2, 0.10}, {std::nullopt, 0.20}};
  Random random(1);
  OffPolicyEstimator estimator;
  for (std::uint64_t person = 0; person < 20'000; ++person) {
    const CouponDecision decision = decided(person, random.uniform());
    if (decision.assignment != Assignment::offered) continue;
    const double reward = random.uniform() < truth.at(decision.choice().offer) ? 1 : 0;
    ASSERT_TRUE(estimator
                    .add({.propensity = decision.choice().propensity,
                          .target_propensity = decision.choice().offer == 1U ? 1.0 : 0.0,
                          .reward = reward})
                    .ok());
  }
  const OffPolicyEstimate estimate = estimator.estimate();
  EXPECT_NEAR(estimate.snips.value, 0.45, 3 * estimate.snips.error);
  EXPECT_EQ(estimate.verdict, Verdict::better);
}

TEST_F(CouponDecisionTest, RefusesWhatIsOutOfRange) {
  EXPECT_FALSE(decide(request(1, 1.0), plan_, exploration_).ok());
  plan_.share = 0.6;
  EXPECT_FALSE(decide(request(1, 0.5), plan_, exploration_).ok());
  plan_.share = 0.1;
  exploration_.floor = 0.2;
  EXPECT_FALSE(decide(request(1, 0.5), plan_, exploration_).ok());
  exploration_.floor = 0.01;
  eligible_[0].value = std::nan("");
  EXPECT_FALSE(decide(request(1, 0.5), plan_, exploration_).ok());
  eligible_[0] = {7, 1, 1};
  EXPECT_THAT(std::string(message_of(decide(request(1, 0.5), plan_, exploration_).status())),
              testing::HasSubstr("offer 7 of 3"));
}

}  // namespace
}  // namespace vitrine::training
