#include "training/uplift/campaign_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "training/uplift/exploration.h"

namespace vitrine::training {
namespace {

using ::testing::HasSubstr;
using PolicyKind = CampaignJudgement::PolicyKind;

// A shop of two offers. Everybody buys for 20 with the chance `k_base`; offer 0 adds `lift` to that
// chance for the half of the people who can be moved, offer 1 adds a quarter of it for everybody.
// A coupon costs 2 of those who buy with it.
struct Shop {
  int people = 20'000;
  double holdout = 0.2;
  double lift = 0.2;
  double planned = -1;  // holdout; below 0: as it is
  bool has_scores = true;
  static constexpr double k_base = 0.2;
  static constexpr double k_basket = 20;
  static constexpr double k_cost = 2;
};

// The places of the arms: both offers, and none.
constexpr std::uint32_t k_none = 2;

double chance_of(const Shop& shop, bool can_be_moved, std::uint32_t arm) {
  if (arm == k_none) return Shop::k_base;
  return Shop::k_base + (arm == 0 ? (can_be_moved ? shop.lift : 0) : shop.lift / 4);
}

// The log of SquareCB over both offers and none, which believes that offer 0 is best.
CampaignJudge campaign(const Shop& shop, std::uint64_t seed) {
  CampaignJudge judge(shop.planned < 0 ? shop.holdout : shop.planned);
  Random random(seed);
  const std::vector<Arm> arms = {0, 1, std::nullopt};
  const std::vector<double> p =
      propensities_of(std::vector<double>{1, 0.5, 0}, {.gamma = 5, .floor = 0.05});
  for (int i = 0; i < shop.people; ++i) {
    const bool can_be_moved = random.uniform() < 0.5;
    const std::uint32_t drawn = drawn_arm(p, random.uniform());
    const bool is_held_out = random.uniform() < shop.holdout;
    const std::uint32_t got = is_held_out ? k_none : drawn;
    const bool buys = random.uniform() < chance_of(shop, can_be_moved, got);
    const double margin = buys ? Shop::k_basket - (got != k_none ? Shop::k_cost : 0) : 0;
    std::optional<double> score;
    if (shop.has_scores) score = (can_be_moved ? 1 : 0) + 0.1 * random.normal();
    EXPECT_TRUE(judge
                    .add({.assignment = is_held_out ? Assignment::holdout : Assignment::offered,
                          .chosen = arms[drawn],
                          .propensity = p[drawn],
                          .arms = arms,
                          .score = score,
                          .orders = buys ? 1.0 : 0.0,
                          .margin = margin,
                          .has_redeemed = buys && got != k_none})
                    .ok());
  }
  return judge;
}

// What the policy above earns from one person more than nobody does.
double true_gain(const Shop& shop) {
  const std::vector<double> p =
      propensities_of(std::vector<double>{1, 0.5, 0}, {.gamma = 5, .floor = 0.05});
  double gain = 0;
  for (const std::uint32_t arm : {0U, 1U}) {
    for (const bool can_be_moved : {false, true}) {
      gain += p[arm] * 0.5 *
              (chance_of(shop, can_be_moved, arm) * (Shop::k_basket - Shop::k_cost) -
               Shop::k_base * Shop::k_basket);
    }
  }
  return gain;
}

TEST(CampaignJudgeTest, TheIntervalHoldsWhatTheCampaignReallyEarned) {
  int held = 0;
  constexpr int k_campaigns = 60;
  const Shop shop{.people = 4'000, .has_scores = false};
  for (int i = 0; i < k_campaigns; ++i) {
    const CampaignEffect margin = campaign(shop, static_cast<std::uint64_t>(i)).judgement().margin;
    held += margin.low < true_gain(shop) && true_gain(shop) < margin.high ? 1 : 0;
  }
  EXPECT_GE(held, 52) << "95 % of 60 less three errors";
}

TEST(CampaignJudgeTest, ACampaignThatMovesPeopleIsBetterAndOneThatOnlyCostsIsWorse) {
  const CampaignJudgement good = campaign({}, 1).judgement();
  EXPECT_EQ(good.verdict, Verdict::better) << good.why;
  EXPECT_EQ(good.conversions_missing, 0);
  EXPECT_GT(good.orders.low, 0);
  EXPECT_EQ(good.holdout.redeemed, 0);
  const CampaignJudgement bad = campaign({.people = 100'000, .lift = 0}, 1).judgement();
  EXPECT_EQ(bad.verdict, Verdict::worse) << bad.why;
}

TEST(CampaignJudgeTest, WithoutAnEffectOrWithFewPeopleItCannotTell) {
  Random random(5);
  CampaignJudge judge(0.5);
  for (int i = 0; i < 2'000; ++i) {
    const double order = random.uniform() < 0.1 ? 1 : 0;
    ASSERT_TRUE(judge
                    .add({.assignment = i % 2 == 0 ? Assignment::offered : Assignment::holdout,
                          .orders = order,
                          .margin = 20 * order})
                    .ok());
  }
  const CampaignJudgement judgement = judge.judgement();
  EXPECT_EQ(judgement.verdict, Verdict::cannot_tell);
  EXPECT_EQ(judgement.why, "the interval holds 0");
  EXPECT_GT(judgement.conversions_missing, 300) << "about 100 of 500 came";
  EXPECT_EQ(campaign({.people = 300}, 1).judgement().verdict, Verdict::cannot_tell);
  EXPECT_EQ(CampaignJudge(0.1).judgement().verdict, Verdict::cannot_tell);
}

TEST(CampaignJudgeTest, GroupsThatChanceDoesNotMakeGetNoVerdict) {
  const CampaignJudgement judgement = campaign({.planned = 0.1}, 1).judgement();
  EXPECT_LT(judgement.sample_ratio_p, 1e-6);
  EXPECT_EQ(judgement.verdict, Verdict::cannot_tell);
  EXPECT_THAT(judgement.why, HasSubstr("something else assigned them"));
  EXPECT_GT(campaign({}, 1).judgement().sample_ratio_p, 0.001);
}

// 5,200 against 4,800 at halves: chi-square 16.0, p = 6.33e-5.
TEST(CampaignJudgeTest, TheSampleRatioIsTheChiSquareTests) {
  CampaignJudge judge(0.5);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(
        judge.add({.assignment = i < 5'200 ? Assignment::offered : Assignment::holdout}).ok());
  }
  EXPECT_NEAR(judge.judgement().sample_ratio_p, 6.33e-5, 5e-8);
}

TEST(CampaignJudgeTest, GrantsAreComparedWithTheirGhosts) {
  const CampaignJudgement judgement = campaign({}, 2).judgement();
  ASSERT_EQ(judgement.ghosts.size(), 2);
  const CampaignJudgement::Ghosts& first = judgement.ghosts.front();
  EXPECT_EQ(first.offer, 0);
  EXPECT_GT(first.granted.orders.people, 3 * first.ghosts.orders.people);
  const double truth = (Shop::k_base + 0.1) * 18 - Shop::k_base * 20;
  EXPECT_LT(first.margin.low, truth);
  EXPECT_GT(first.margin.high, truth);
  EXPECT_GT(first.margin.per_person, judgement.margin.per_person)
      << "the campaign's effect is thinned by people who got nothing";
}

TEST(CampaignJudgeTest, ScoresThatKnowWhomToMoveHaveAQiniAreaAboveNought) {
  const CampaignJudgement judgement = campaign({}, 3).judgement();
  ASSERT_TRUE(judgement.scores);
  EXPECT_GT(judgement.scores->intervals.qini_area.low, 0);
  EXPECT_GT(judgement.scores->intervals.uplift_at_30.mean, judgement.scores->curve.uplift_at(1));
}

const CampaignJudgement::Policy& policy_of(const CampaignJudgement& judgement, PolicyKind kind,
                                           std::uint32_t offer = 0) {
  for (const CampaignJudgement::Policy& one : judgement.policies) {
    if (one.kind == kind && one.offer == offer) return one;
  }
  ADD_FAILURE() << "no such policy";
  return judgement.policies.front();
}

TEST(CampaignJudgeTest, OtherPoliciesAreWorthWhatTheyWouldHaveEarned) {
  const CampaignJudgement judgement = campaign({.people = 60'000}, 4).judgement();
  const auto holds = [&](PolicyKind kind, std::uint32_t offer, double truth) {
    const Estimate value = policy_of(judgement, kind, offer).estimate.doubly_robust;
    EXPECT_NEAR(value.value, truth, 3 * value.error) << name_of(kind) << " " << offer;
    EXPECT_LT(value.error, 0.2);
  };
  holds(PolicyKind::single, 0, 0.3 * 18);
  holds(PolicyKind::single, 1, 0.25 * 18);
  holds(PolicyKind::nobody, 0, 0.2 * 20);
  holds(PolicyKind::likeliest, 0, 0.3 * 18);
  holds(PolicyKind::uniform, 0, (0.3 * 18 + 0.25 * 18 + 0.2 * 20) / 3);
  ASSERT_TRUE(judgement.best_single);
  EXPECT_EQ(judgement.policies[*judgement.best_single].offer, 0);
  EXPECT_EQ(judgement.against_best_single, Verdict::worse)
      << "chance spent on offers that are worth less";
}

TEST(CampaignJudgeTest, APolicyOfWhatWasNeverDoneIsRefused) {
  CampaignJudge judge(0.1);
  for (std::uint32_t i = 0; i < 4'000; ++i) {
    ASSERT_TRUE(judge
                    .add({.assignment = i % 10 == 0 ? Assignment::holdout : Assignment::offered,
                          .chosen = i % 50 == 1 ? 1U : 0U,
                          .orders = 1,
                          .margin = 1})
                    .ok());
  }
  const CampaignJudgement judgement = judge.judgement();
  EXPECT_THAT(policy_of(judgement, PolicyKind::nobody).estimate.refusals,
              testing::Not(testing::IsEmpty()));
  EXPECT_THAT(policy_of(judgement, PolicyKind::single, 1).estimate.refusals,
              testing::Contains(HasSubstr("was never done")));
  EXPECT_EQ(policy_of(judgement, PolicyKind::single, 1).estimate.verdict, Verdict::cannot_tell);
  EXPECT_FALSE(judgement.best_single) << "2 % of the people could not have got offer 0";
}

TEST(CampaignJudgeTest, TheUniversalControlGroupIsCountedAndNotCompared) {
  CampaignJudge judge(0.5);
  ASSERT_TRUE(judge.add({.assignment = Assignment::universal_control, .orders = 9}).ok());
  EXPECT_EQ(judge.judgement().universal_control, 1);
  EXPECT_EQ(judge.judgement().holdout.orders.people, 0);
}

TEST(CampaignJudgeTest, RefusesNumbersThatAreNone) {
  CampaignJudge judge(0.5);
  EXPECT_THAT(judge.add({.propensity = 0}).message(), HasSubstr("propensity must be in (0, 1]"));
  EXPECT_FALSE(judge.add({.margin = std::nan("")}).ok());
  EXPECT_FALSE(judge.add({.score = std::numeric_limits<double>::infinity()}).ok());
  EXPECT_EQ(judge.judgement().offered.orders.people, 0);
}

}  // namespace
}  // namespace vitrine::training
