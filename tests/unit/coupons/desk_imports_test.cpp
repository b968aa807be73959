#include <future>

#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using ::testing::HasSubstr;

constexpr TimeMs k_then_ms = CommitterOnStore::k_now_ms - 365 * k_day_ms;

class DeskImportsTest : public DeskTest {
 protected:
  void SetUp() override {
    DeskTest::SetUp();
    use(campaign());
    Offer offer = twenty();
    offer.code = "";
    offer.trigger = Trigger::granted;
    use(offer);
  }
  static PastGrant grant(std::string user) {
    return {.offer = "twenty",
            .user_id = std::move(user),
            .round = "import",
            .issued_ms = k_then_ms,
            .valid_until_ms = k_then_ms + 30 * k_day_ms};
  }
  static PastRedemption redemption(std::string order, std::string user) {
    return {.order_id = std::move(order),
            .offer = "twenty",
            .user_id = std::move(user),
            .round = "import",
            .time_ms = k_then_ms + k_day_ms,
            .discount = {2000},
            .currency = "EUR"};
  }
  // "new", "known", or why not.
  template <class Past>
  std::string take_over(Past past) {
    std::promise<absl::StatusOr<std::vector<PastOutcome>>> promise;
    const absl::Status sent = desk_->take_over(
        std::vector<Past>{std::move(past)}, [&](auto all) { promise.set_value(std::move(all)); });
    if (!sent.ok()) return sent.ToString();
    const auto all = promise.get_future().get();
    if (!all.ok()) return all.status().ToString();
    const PastOutcome& one = all->front();
    return one.is_new ? "new" : one.refusal.empty() ? "known" : one.refusal;
  }
};

TEST_F(DeskImportsTest, AGrantAndItsRedemptionAreAsTheyWereAndCounted) {
  EXPECT_EQ(take_over(grant("ann")), "new");
  EXPECT_EQ(take_over(grant("bob")), "new");
  EXPECT_EQ(take_over(redemption("o-1", "ann")), "new");
  const auto anns = desk_->grants_of(identities_->find("ann", "").user, 10).value();
  const auto bobs = desk_->grants_of(identities_->find("bob", "").user, 10).value();
  EXPECT_EQ(anns.at(0).state_at(on_->clock.now_ms()), GrantState::redeemed);
  EXPECT_EQ(anns.at(0).issued_ms, k_then_ms);
  EXPECT_EQ(bobs.at(0).state_at(on_->clock.now_ms()), GrantState::expired);
  const Order order = desk_->redemption("o-1").value().value();
  EXPECT_EQ(order.time_ms, k_then_ms + k_day_ms);
  EXPECT_EQ(order.discount().minor, 2000);
  EXPECT_EQ(order.uses.at(0).grant, anns.at(0).number);
  EXPECT_EQ(balance("offer/twenty/issued").committed, 2);
  EXPECT_EQ(balance("offer/twenty/uses").committed, 1);
  EXPECT_EQ(balance("campaign/spring/discount/EUR").committed, 2000);
  expect_sound();
}

TEST_F(DeskImportsTest, WhatIsKnownStaysAsItIs) {
  std::ignore = take_over(grant("ann"));
  std::ignore = take_over(redemption("o-1", "ann"));
  reopen();
  EXPECT_EQ(take_over(grant("ann")), "known");
  EXPECT_EQ(take_over(redemption("o-1", "ann")), "known");
  EXPECT_EQ(balance("offer/twenty/issued").committed, 1);
  EXPECT_EQ(balance("offer/twenty/uses").committed, 1);
}

TEST_F(DeskImportsTest, WhatCannotHaveBeenIsRefusedAndCountsNothing) {
  PastGrant elsewhere = grant("ann");
  elsewhere.offer = "none";
  EXPECT_EQ(take_over(elsewhere), "there is no offer none");
  std::ignore = take_over(grant("ann"));
  std::ignore = take_over(redemption("o-1", "ann"));
  EXPECT_THAT(take_over(redemption("o-2", "ann")), HasSubstr("was used 1 times already"));
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 2500}}));
  EXPECT_THAT(take_over(redemption("o-3", "")), HasSubstr("the limit of 2500"));
  EXPECT_EQ(balance("campaign/spring/discount/EUR").committed, 2000);
  expect_sound();
}

TEST_F(DeskImportsTest, ACodeThatIsOutIsGoodHereToo) {
  PastGrant live = grant("ann");
  live.code = "OLD-CODE-1";
  live.valid_until_ms = CommitterOnStore::k_now_ms + k_day_ms;
  EXPECT_EQ(take_over(live), "new");
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann", {"old code 1"}))), "applied");
  live.user_id = "bob";
  EXPECT_THAT(take_over(live), HasSubstr("code OLD-CODE-1 is another grant's"));
}

}  // namespace
}  // namespace vitrine::coupons
