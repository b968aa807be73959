#include "server/coupons/points.h"

#include <future>

#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class PointsTest : public DeskTest {
 protected:
  void SetUp() override {
    DeskTest::SetUp();
    use(campaign());
  }
  // One point for each whole euro, gone after 30 days.
  void use_program() {
    Offer offer{.id = "club",
                .campaign = "spring",
                .trigger = Trigger::automatic,
                .effect = {.kind = Kind::points, .multiplier_hundredths = 100, .points_days = 30},
                .stacking = {.offer_class = "points"}};
    offer.amounts["*"] = {.currency = "EUR"};
    use(offer);
  }
  absl::StatusOr<Desk::PointsChanged> change(Desk::PointsChange change) {
    std::promise<absl::StatusOr<Desk::PointsChanged>> promise;
    const absl::Status sent = desk_->change_points(
        std::move(change), [&](auto changed) { promise.set_value(std::move(changed)); });
    if (!sent.ok()) return sent;
    return promise.get_future().get();
  }
  PointsAccount account(const std::string& user) {
    return desk_->points_of(identities_->find(user, "").user).value();
  }
  std::int64_t ledger_balance(const std::string& user) {
    const auto number = identities_->find(user, "").user.value();
    return balance("points/user/" + std::to_string(number)).committed;
  }
};

TEST_F(PointsTest, AnOrderEarnsThemAndAReturnTakesThemBack) {
  use_program();
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann", {}))), "applied");  // 120.00
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann", {}))), "applied");  // the same one
  EXPECT_EQ(account("ann").balance(), 120);
  reopen();
  EXPECT_EQ(account("ann").balance(), 120);
  std::ignore = give_back("o-1", "r-1", {{"a", 1}});  // 40.00 of it
  EXPECT_EQ(account("ann").balance(), 80);
  std::ignore = give_back("o-1", "r-2", {});
  EXPECT_EQ(account("ann").balance(), 0);
  EXPECT_EQ(ledger_balance("ann"), 0);
  expect_sound();
}

TEST_F(PointsTest, WhatIsHeldEarnsWhenItIsRedeemed) {
  use_program();
  const Outcome held = hold(checkout("o-1", "ann", {}));
  ASSERT_TRUE(held.ok() && held->order) << result_of(held);
  EXPECT_EQ(account("ann").balance(), 0);
  EXPECT_EQ(result_of(redeem_held(held->order->number, "o-1")), "applied");
  EXPECT_EQ(account("ann").balance(), 120);
  expect_sound();
}

TEST_F(PointsTest, TheyAreSpentOnceAndNeverBelowZero) {
  EXPECT_EQ(change({.user_id = "ann", .points = 100, .reference = "hello"})->balance, 100);
  EXPECT_EQ(change({.user_id = "ann", .points = -70, .reference = "mug"})->balance, 30);
  reopen();
  const auto again = change({.user_id = "ann", .points = -70, .reference = "mug"});
  EXPECT_TRUE(again->is_replay);
  EXPECT_EQ(again->balance, 30);
  EXPECT_TRUE(
      absl::IsAborted(change({.user_id = "ann", .points = -10, .reference = "mug"}).status()));
  EXPECT_THAT(change({.user_id = "ann", .points = -31, .reference = "cap"}).status().message(),
              HasSubstr("30 points are there, 31 are wanted"));
  EXPECT_EQ(account("ann").balance(), 30);
  EXPECT_EQ(ledger_balance("ann"), 30);
  expect_sound();
}

TEST_F(PointsTest, TheOldestAreSpentFirstAndTheRestIsGoneInItsTime) {
  const TimeMs now_ms = on_->clock.now_ms();
  std::ignore = change({.user_id = "ann", .points = 50, .reference = "a"});
  std::ignore =
      change({.user_id = "ann", .points = 30, .reference = "b", .expires_ms = now_ms + k_day_ms});
  std::ignore = change({.user_id = "ann", .points = -10, .reference = "c"});
  ASSERT_THAT(account("ann").lots(), SizeIs(2));
  EXPECT_EQ(account("ann").lots()[0].points, 20);
  on_->clock.advance(k_day_ms);
  EXPECT_EQ(account("ann").balance(), 50);
  EXPECT_THAT(change({.user_id = "ann", .points = -60, .reference = "d"}).status().message(),
              HasSubstr("50 points are there"));
  EXPECT_EQ(change({.user_id = "ann", .points = -50, .reference = "e"})->balance, 0);
  EXPECT_EQ(ledger_balance("ann"), 0);
  expect_sound();
}

TEST_F(PointsTest, WhatIsTakenBackBeyondTheBalanceIsOwed) {
  use_program();
  std::ignore = redeem(checkout("o-1", "ann", {}));
  std::ignore = change({.user_id = "ann", .points = -100, .reference = "mug"});
  std::ignore = give_back("o-1", "r-1", {});
  EXPECT_EQ(account("ann").balance(), 0);
  EXPECT_EQ(account("ann").owed(), 100);
  std::ignore = redeem(checkout("o-2", "ann", {}));
  EXPECT_EQ(account("ann").balance(), 20);
  EXPECT_EQ(account("ann").owed(), 0);
  expect_sound();
}

TEST_F(PointsTest, WhoIsForgottenHasNone) {
  std::ignore = change({.user_id = "ann", .points = 100, .reference = "hello"});
  const events::DataSubject subject = identities_->subject("ann", "").value().value();
  EXPECT_THAT(desk_->export_person(subject).value(), HasSubstr("\"points\":100"));
  EXPECT_TRUE(desk_->erase_person(subject, on_->committer).ok());
  EXPECT_EQ(desk_->export_person(subject).value(), "[]");
  EXPECT_EQ(ledger_balance("ann"), 0);
  expect_sound();
}

}  // namespace
}  // namespace vitrine::coupons
