// Who is granted what the shop wants to give: holdouts, the control group, and not too much.
#include <algorithm>
#include <set>

#include "server/coupons/assignment.h"
#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using training::Assignment;

class DeskDecisionsTest : public DeskTest {
 protected:
  static Campaign half_held_out(std::string id = "spring") {
    Campaign half = campaign();
    half.id = std::move(id);
    half.holdout_share = 0.5;
    return half;
  }
  static Offer given(std::string id, Trigger trigger = Trigger::granted,
                     std::string campaign = "spring") {
    Offer offer = twenty();
    offer.id = std::move(id);
    offer.campaign = std::move(campaign);
    offer.code.clear();
    offer.trigger = trigger;
    return offer;
  }
  static std::vector<std::string> people(std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back("user-" + std::to_string(i));
    return ids;
  }
  // Opens the desk anew with other rules.
  void rule(const DecisionRules& rules) {
    rules_ = rules;
    reopen();
  }
  std::vector<CouponDecision> decisions() {
    std::vector<CouponDecision> all;
    EXPECT_TRUE(decisions_->for_each({}, [&](const auto& one) { all.push_back(one); }).ok());
    return all;
  }
  static std::set<std::string> withheld_from(const std::vector<Desk::Issued>& issued) {
    std::set<std::string> ids;
    for (const Desk::Issued& one : issued) {
      EXPECT_EQ(one.withheld.has_value(), !one.grant.has_value()) << one.user_id;
      if (one.withheld) ids.insert(one.user_id);
    }
    return ids;
  }
  std::vector<Desk::Issued> give(std::string offer, std::vector<std::string> ids,
                                 std::string round = "1") {
    return issue(
        {.offer = std::move(offer), .round = std::move(round), .user_ids = std::move(ids)});
  }
};

TEST_F(DeskDecisionsTest, HalfOfThePeopleAreKeptFromACampaignAndTheirGhostsAreKnown) {
  use(half_held_out());
  use(given("gift"));
  const auto issued = give("gift", people(400));
  const auto kept = withheld_from(issued);
  EXPECT_NEAR(static_cast<double>(kept.size()), 200, 45);  // 4.5 standard deviations
  std::size_t ghosts = 0;
  std::size_t granted = 0;
  for (const CouponDecision& decision : decisions()) {
    const bool is_ghost = decision.outcome == DecisionOutcome::ghost;
    EXPECT_EQ(decision.assignment, is_ghost ? Assignment::holdout : Assignment::offered);
    EXPECT_EQ(decision.offer, "gift");
    EXPECT_EQ(decision.policy, "direct");
    is_ghost ? ++ghosts : ++granted;
  }
  EXPECT_EQ(ghosts, kept.size());
  EXPECT_EQ(granted, 400 - kept.size());
  const auto first = std::ranges::find_if(issued, [](const auto& one) { return one.is_new; });
  EXPECT_FALSE(first->grant->decision_id.empty());
  EXPECT_EQ((*desk_->grant(first->grant->number))->decision_id, first->grant->decision_id);
}

TEST_F(DeskDecisionsTest, ARoundAskedForAgainIsTheSameAndAnotherCampaignDrawsAnew) {
  use(half_held_out());
  use(half_held_out("summer"));
  use(given("gift"));
  use(given("sun", Trigger::granted, "summer"));
  const auto kept = withheld_from(give("gift", people(100)));
  const std::size_t written = decisions().size();
  reopen();
  EXPECT_EQ(withheld_from(give("gift", people(100))), kept);
  EXPECT_EQ(decisions().size(), written);
  EXPECT_NE(withheld_from(give("sun", people(100))), kept);
}

TEST_F(DeskDecisionsTest, TheControlGroupIsKeptFromEveryCampaignAndDrawnAnewEachYear) {
  rule({.control_percent = 50, .new_per_week = 100});
  use(campaign());
  Campaign summer = campaign();
  summer.id = "summer";
  use(summer);
  use(given("gift"));
  use(given("sun", Trigger::granted, "summer"));
  const auto issued = give("gift", people(200));
  const auto kept = withheld_from(issued);
  EXPECT_NEAR(static_cast<double>(kept.size()), 100, 32);
  for (const Desk::Issued& one : issued) {
    if (one.withheld) {
      EXPECT_EQ(name_of(*one.withheld), "CONTROL_GROUP");
    }
  }
  EXPECT_EQ(withheld_from(give("sun", people(200))), kept);
  const Campaign any = campaign();
  std::size_t moved = 0;
  for (std::uint32_t person = 1; person <= 200; ++person) {
    const auto in = [&](TimeMs time_ms) {
      return assignment_of(UserNumber(person), any, rules_, time_ms);
    };
    if (in(*parse_time("2026-01-01T00:00:00Z")) != in(*parse_time("2026-12-31T23:59:59Z"))) ++moved;
    if (in(*parse_time("2026-12-31T23:59:59Z")) != in(*parse_time("2027-01-01T00:00:00Z"))) ++moved;
  }
  EXPECT_NEAR(static_cast<double>(moved), 100, 32);  // of the change of the year alone
}

TEST_F(DeskDecisionsTest, WhoeverIsKeptFromACampaignStillGetsWhatTheyAskFor) {
  use(half_held_out());
  use(twenty());
  use(given("gift"));
  use(given("taken", Trigger::claimed));
  const std::string kept = *withheld_from(give("gift", people(50))).begin();
  EXPECT_EQ(result_of(redeem(checkout("o-1", kept))), "applied");
  const auto claimed = issue({.offer = "taken", .user_ids = {kept}, .is_claim = true});
  EXPECT_TRUE(claimed[0].is_new);
  const auto made = decisions();
  const auto contaminated = std::ranges::find(made, "claim", &CouponDecision::policy);
  ASSERT_NE(contaminated, made.end());
  EXPECT_EQ(contaminated->assignment, Assignment::holdout);
  EXPECT_EQ(contaminated->outcome, DecisionOutcome::granted);
  const auto sorry =
      issue({.offer = "gift", .round = "1", .user_ids = {kept}, .is_for_everybody = true});
  EXPECT_TRUE(sorry[0].is_new);
}

TEST_F(DeskDecisionsTest, WhatCouldBeClaimedIsNotShownToWhoeverIsKeptFromIt) {
  use(half_held_out());
  use(given("gift"));
  use(given("taken", Trigger::claimed));
  const auto issued = give("gift", people(20));
  std::size_t shown = 0;
  for (const Desk::Issued& one : issued) {
    Checkout asked = checkout("", one.user_id, {});
    asked.shopper.user = identities_->find(one.user_id, "").user;
    const auto qualified = *desk_->qualify(asked);
    const bool has_claimable = std::ranges::any_of(
        qualified, [](const Desk::Qualified& each) { return each.is_to_be_claimed; });
    EXPECT_EQ(has_claimable, !one.withheld.has_value()) << one.user_id;
    if (has_claimable) ++shown;
  }
  EXPECT_GT(shown, 0U);
  EXPECT_LT(shown, 20U);
}

TEST_F(DeskDecisionsTest, NobodyIsGrantedMoreThanTwoNewCouponsAWeek) {
  rule({.control_percent = 0, .new_per_week = 2});
  use(campaign());
  for (const char* id : {"a", "b", "c"}) use(given(id));
  use(given("taken", Trigger::claimed));
  EXPECT_TRUE(give("a", {"ann"})[0].is_new);
  EXPECT_TRUE(issue({.offer = "taken", .user_ids = {"ann"}, .is_claim = true})[0].is_new);
  const auto third = give("b", {"ann", "bob"});
  ASSERT_TRUE(third[0].withheld);
  EXPECT_EQ(name_of(*third[0].withheld), "FATIGUE");
  EXPECT_TRUE(third[1].is_new);
  EXPECT_TRUE(
      issue({.offer = "c", .round = "1", .user_ids = {"ann"}, .is_for_everybody = true})[0].is_new);
  on_->clock.advance(k_fatigue_window_ms - 1);
  EXPECT_TRUE(give("b", {"ann"})[0].withheld);
  on_->clock.advance(1);
  EXPECT_TRUE(give("b", {"ann"})[0].is_new);
}

// A visitor is a person before it is known who that is.
TEST_F(DeskDecisionsTest, TheAssignmentOfAVisitorStaysWhenItLogsIn) {
  const Campaign half = half_held_out();
  std::size_t kept = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string id = std::to_string(i);
    UserNumber visitor;
    ASSERT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      visitor = identities_->resolve(batch, "", "v" + id).user;
                      return absl::OkStatus();
                    })
                    .ok());
    const TimeMs now_ms = on_->clock.now_ms();
    const auto before = assignment_of(person_of(*identities_, visitor), half, rules_, now_ms);
    ASSERT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      identities_->resolve(batch, "u" + id, "v" + id);
                      return absl::OkStatus();
                    })
                    .ok());
    const UserNumber user = identities_->find("u" + id, "").user;
    ASSERT_NE(user, visitor);
    EXPECT_EQ(assignment_of(person_of(*identities_, user), half, rules_, now_ms), before) << id;
    if (before == Assignment::holdout) ++kept;
  }
  EXPECT_GT(kept, 10U);
  EXPECT_LT(kept, 50U);
}

TEST_F(DeskDecisionsTest, WhatACampaignCanShowIsKnownBeforeItBegins) {
  Campaign tenth = campaign();
  tenth.holdout_share = 0.1;
  const auto effect = detectable_in(tenth, rules_, 10'000, 0.05);
  ASSERT_TRUE(effect);
  EXPECT_NEAR(effect->relative, 0.41, 0.005);
  tenth.holdout_share = 0;
  EXPECT_FALSE(detectable_in(tenth, rules_, 10'000, 0.05));
}

}  // namespace
}  // namespace vitrine::coupons
