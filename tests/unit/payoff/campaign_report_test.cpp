#include "server/payoff/campaign_report.h"

#include "base/random.h"
#include "tests/unit/payoff/shop.h"

namespace vitrine::payoff {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using training::Assignment;
using training::Verdict;

class CampaignReportTest : public ShopTest {
 protected:
  // A fifth is kept from the campaign; everybody buys a mug with chance 0.2, who is offered 5.00
  // off with `offered_chance`, six of ten of those with the coupon.
  void run_shop(int people, double offered_chance, std::uint64_t seed) {
    Random random(seed);
    const training::HoldoutPlan plan{.campaign_seed = "spring" + std::to_string(seed),
                                     .share = 0.2,
                                     .universal_seed = "",
                                     .universal_share = 0};
    std::vector<std::pair<UserNumber, Assignment>> all;
    in_batch([&](events::Batch& batch) {
      for (int i = 0; i < people; ++i) {
        const UserNumber number = identities_->resolve(batch, "u" + std::to_string(i), "").user;
        const Assignment assignment = training::assignment_of(number.value(), plan);
        decisions_->stage(batch, decision(number, assignment));
        all.emplace_back(number, assignment);
      }
    });
    on_.clock.advance(k_day_ms);
    std::vector<int> redeemers;
    in_batch([&](events::Batch& batch) {
      for (int i = 0; i < people; ++i) {
        const auto& [number, assignment] = all[static_cast<std::size_t>(i)];
        const bool is_offered = assignment == Assignment::offered;
        if (random.uniform() >= (is_offered ? offered_chance : 0.2)) continue;
        append(batch, number, purchase("o" + std::to_string(i)));
        if (is_offered && random.uniform() < 0.6) redeemers.push_back(i);
      }
    });
    for (const int i : redeemers) {
      redeem("u" + std::to_string(i), "o" + std::to_string(i));
      if (waiting_.size() == 200) settle();
    }
    settle();
  }
};

TEST_F(CampaignReportTest, TheIntervalHoldsWhatASimulatedCampaignReallyBrought) {
  run_shop(6'000, 0.35, 1);
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  const double truth = 0.35 * (20 - 0.6 * 5) - 0.2 * 20;
  EXPECT_LT(found.judgement.margin.low, truth);
  EXPECT_GT(found.judgement.margin.high, truth);
  EXPECT_LT(found.judgement.orders.low, 0.15);
  EXPECT_GT(found.judgement.orders.high, 0.15);
  EXPECT_EQ(found.verdict(), Verdict::better) << found.why();
  EXPECT_TRUE(found.is_final());
  EXPECT_EQ(found.people, 6'000);
  EXPECT_EQ(found.currency, "EUR");
  EXPECT_EQ(found.basis, MarginBasis::net_revenue);
  EXPECT_GT(found.judgement.conversions_missing, 0) << "the holdout has some 240 buyers";
  ASSERT_EQ(found.offers.size(), 2);
  const CampaignReport::OfferLine& five = found.offers.front();
  EXPECT_EQ(five.redeemed, found.judgement.offered.redeemed);
  EXPECT_EQ(five.ghosts, found.judgement.holdout.orders.people);
  EXPECT_EQ(five.cost.at("EUR").minor, static_cast<std::int64_t>(500 * five.redeemed));
}

TEST_F(CampaignReportTest, ACampaignThatChangesNothingIsNotCalledBetter) {
  run_shop(2'000, 0.2, 2);
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_NE(found.verdict(), Verdict::better);
  EXPECT_LT(found.judgement.orders.low, 0);
  EXPECT_GT(found.judgement.orders.high, 0);
}

TEST_F(CampaignReportTest, WhoseWindowIsNotOverIsNotJudgedAndAShorterOneHasNoVerdict) {
  run_shop(2'000, 0.5, 3);
  on_.clock.advance(10 * k_day_ms);
  const CampaignReport early = report();
  EXPECT_EQ(early.open_people, 2'000);
  EXPECT_EQ(early.judgement.offered.orders.people, 0);
  EXPECT_EQ(early.verdict(), Verdict::cannot_tell);
  EXPECT_FALSE(early.is_final());
  const CampaignReport week = report({.campaign = "spring", .window_days = 7});
  EXPECT_EQ(week.open_people, 0);
  EXPECT_EQ(week.judgement.margin.verdict, Verdict::better);
  EXPECT_EQ(week.verdict(), Verdict::cannot_tell);
  EXPECT_THAT(week.why(), HasSubstr("7 days are too soon"));
}

TEST_F(CampaignReportTest, WhoFoundTheCodeInTheHoldoutStaysThereAndIsCounted) {
  const UserNumber ann = user("ann");
  decide(ann, Assignment::holdout);
  decide(user("bob"), Assignment::offered);
  tell(ann, purchase("o-1"));
  redeem("ann", "o-1");
  settle();
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.judgement.holdout.redeemed, 1);
  EXPECT_EQ(found.judgement.holdout.margin.sum, 15);
  EXPECT_EQ(found.judgement.offered.margin.sum, 0);
}

TEST_F(CampaignReportTest, TheFirstDecisionAssignsAndWhatWasBoughtBeforeOrLaterDoesNotCount) {
  const UserNumber ann = user("ann");
  tell(ann, purchase("before"));
  on_.clock.advance(1);
  decide(ann, Assignment::holdout);
  on_.clock.advance(1);
  decide(ann, Assignment::offered);
  tell(ann, purchase("inside"));
  on_.clock.advance(28 * k_day_ms);
  tell(ann, purchase("after"));
  const CampaignReport found = report();
  EXPECT_EQ(found.people, 1);
  EXPECT_EQ(found.judgement.holdout.orders.sum, 1);
  EXPECT_EQ(found.judgement.offered.orders.people, 0);
}

TEST_F(CampaignReportTest, AVisitorThatTurnsOutToBeAUserIsOnePersonWithTheEarlierAssignment) {
  const UserNumber visitor = user("", "phone");
  decide(visitor, Assignment::holdout);
  on_.clock.advance(k_minute_ms);
  const UserNumber ann = user("ann");
  decide(ann, Assignment::offered);
  EXPECT_EQ(user("ann", "phone"), ann);
  tell(ann, purchase("o-1"));
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.people, 1);
  EXPECT_EQ(found.judgement.holdout.orders.sum, 1);
}

TEST_F(CampaignReportTest, ReturnsAndCancellationsAreTakenOff) {
  const UserNumber ann = user("ann");
  decide(ann, Assignment::offered);
  tell(ann, purchase("two", 2));  // 40.00, 5.00 off, one of two comes back: 17.50
  redeem("ann", "two", 2);
  tell(ann, event(EventType::refund, "two"));
  tell(ann, purchase("gone"));
  Event cancelled = event(EventType::cancel, "gone");
  cancelled.product_id.clear();
  tell(ann, cancelled);
  tell(ann, purchase("plain"));  // 20.00
  settle();
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.judgement.offered.orders.sum, 2);
  EXPECT_DOUBLE_EQ(found.judgement.offered.margin.sum, 37.5);
  EXPECT_DOUBLE_EQ(found.offered_revenue, 37.5);
}

TEST_F(CampaignReportTest, TheProductsCostIsTakenOffWhereTheCatalogHasIt) {
  sell_mugs_at("7.50");
  const UserNumber ann = user("ann");
  decide(ann, Assignment::offered);
  tell(ann, purchase("o-1"));
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.basis, MarginBasis::net_revenue_less_cost);
  EXPECT_DOUBLE_EQ(found.cost_coverage, 1);
  EXPECT_DOUBLE_EQ(found.judgement.offered.margin.sum, 12.5);
  EXPECT_DOUBLE_EQ(found.offered_revenue, 20);
}

TEST_F(CampaignReportTest, MoneyOfAnotherCurrencyIsNotAdded) {
  const UserNumber ann = user("ann");
  decide(ann, Assignment::offered);
  Event yen = purchase("o-1");
  yen.currency = "JPY";
  tell(ann, yen);
  tell(ann, purchase("o-2"));
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.judgement.offered.orders.sum, 2);
  EXPECT_EQ(found.other_currency, 1);
  EXPECT_EQ(found.judgement.offered.margin.sum, 20);
  const CampaignReport in_yen = report({.campaign = "spring", .currency = "JPY"});
  EXPECT_EQ(in_yen.judgement.offered.margin.sum, 2000);
}

TEST_F(CampaignReportTest, ArmsOfOtherCampaignsAreNoneAndTheScoreIsTheBestOffersAdvantage) {
  coupons::CouponDecision mixed = decision(user("ann"), Assignment::offered);
  mixed.offer = "";
  mixed.outcome = coupons::DecisionOutcome::nothing;
  mixed.propensity = 0.5;
  mixed.arms = {{"autumn", 3, 0.5}, {"five", 2, 0.2}, {"other", 1, 0.1}, {"", 0, 0.2}};
  decide(mixed);
  const auto firsts = FirstDecisions::read(*decisions_, *identities_, *offers_.current(), "spring");
  ASSERT_TRUE(firsts.ok());
  const FirstDecisions::First& first = firsts->all().at(0);
  EXPECT_FALSE(first.chosen);
  EXPECT_DOUBLE_EQ(first.propensity, 0.7);
  EXPECT_EQ(first.score, 2 - 3);
  const auto arms = firsts->arms_of(first);
  ASSERT_EQ(arms.size(), 3);
  EXPECT_FALSE(arms[0]);
  EXPECT_EQ(firsts->offers().at(*arms[1]), "five");
}

TEST_F(CampaignReportTest, WhatWasShownIsSeenOnceHoweverOftenItIsTold) {
  coupons::CouponDecision shown = decision(user("ann"), Assignment::offered);
  shown.outcome = coupons::DecisionOutcome::shown;
  decide(shown);
  decide(shown.user, Assignment::offered);
  coupons::CouponDecision unseen = decision(user("bob"), Assignment::offered);
  unseen.outcome = coupons::DecisionOutcome::shown;
  decide(unseen);
  for (int i = 0; i < 2; ++i) {
    Event seen = event(EventType::promo_view, "");
    seen.recommendation_id = shown.decision_id;
    tell(shown.user, seen);
  }
  const CampaignReport found = report();
  EXPECT_EQ(found.offers.front().shown, 2);
  EXPECT_EQ(found.offers.front().seen, 1);
}

TEST_F(CampaignReportTest, TheForgottenAreCountedAndNotJudged) {
  decide(k_nobody, Assignment::offered);
  on_.clock.advance(28 * k_day_ms);
  const CampaignReport found = report();
  EXPECT_EQ(found.nameless, 1);
  EXPECT_EQ(found.people, 0);
  EXPECT_FALSE(found.is_final());
}

TEST_F(CampaignReportTest, WhyPeopleWereRefusedIsListed) {
  coupons::Offer five = *offers_.current()->offer("five");
  five.is_paused = true;
  five.version = 2;
  use(five);
  coupons::Checkout checkout{.cart = {.lines = {{"a", "mug", {2000}, 1}}, .currency = "EUR"},
                             .codes = {"FIVE"}};
  ASSERT_TRUE(desk_->check(checkout).ok());
  EXPECT_THAT(report().offers.front().denied, ElementsAre(Pair(coupons::Reason::paused, 1)));
}

TEST_F(CampaignReportTest, ACampaignThatThereIsNotIsSaid) {
  const CampaignReporter reporter({.database = *database_,
                                   .profiles = profiles_,
                                   .identities = *identities_,
                                   .catalog = *catalog_,
                                   .desk = *desk_,
                                   .decisions = *decisions_,
                                   .clock = on_.clock});
  EXPECT_EQ(reporter.report({.campaign = "summer"}).status().message(),
            "there is no campaign summer");
}

}  // namespace
}  // namespace vitrine::payoff
