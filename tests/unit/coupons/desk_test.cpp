#include "server/coupons/desk.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <tuple>

#include "server/coupons/code.h"
#include "server/profiles/fixed_hash.h"
#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(DeskTest, ARedemptionIsSpreadOverTheLinesAndCounted) {
  use(campaign());
  use(twenty());
  const Outcome outcome = redeem(checkout("o-1"));
  ASSERT_TRUE(outcome.ok() && outcome->order) << result_of(outcome);
  ASSERT_THAT(outcome->order->uses, SizeIs(1));
  EXPECT_THAT(outcome->order->uses[0].by_line, ElementsAre(Money{1333}, Money{667}));
  EXPECT_EQ(outcome->order->payable.minor, 10'000);
  EXPECT_EQ(balance("offer/twenty/uses").committed, 1);
  EXPECT_EQ(balance("campaign/spring/discount/EUR").committed, 2000);
  expect_sound();
}

TEST_F(DeskTest, TheSameOrderIsRedeemedOnceAndAnotherRequestForItIsAConflict) {
  use(campaign());
  use(twenty());
  const Outcome first = redeem(checkout("o-1"));
  reopen();
  const Outcome again = redeem(checkout("o-1"));
  ASSERT_TRUE(again.ok() && again->order);
  EXPECT_TRUE(again->is_replay);
  EXPECT_EQ(encode(*again->order), encode(*first->order));
  EXPECT_EQ(balance("offer/twenty/uses").committed, 1);
  Checkout other = checkout("o-1");
  other.request_hash = "other";
  EXPECT_TRUE(absl::IsAborted(redeem(other).status()));
}

TEST_F(DeskTest, ABudgetIsSpentToItsEndAndNotFurther) {
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 5000}}));
  use(twenty());
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann"))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob"))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-3", "cy"))), "BUDGET");
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 5000, .caps = true}}));
  const Outcome rest = redeem(checkout("o-3", "cy"));
  ASSERT_TRUE(rest.ok() && rest->order) << result_of(rest);
  EXPECT_EQ(rest->order->discount().minor, 1000);
  EXPECT_EQ(result_of(redeem(checkout("o-4", "di"))), "BUDGET");
  EXPECT_EQ(balance("campaign/spring/discount/EUR").total(), 5000);
  expect_sound();
}

TEST_F(DeskTest, AUserHasALimitOfTheirOwnADay) {
  use(campaign());
  Offer offer = twenty();
  offer.limits = {{.scope = Scope::user, .period = Period::day, .value = 1}};
  use(offer);
  EXPECT_EQ(result_of(redeem(checkout("o-1"))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-2"))), "USER_LIMIT");
  EXPECT_EQ(result_of(redeem(checkout("o-3", "bob"))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-4", ""))), "NOT_YOURS");
  on_->clock.advance(k_day_ms);
  EXPECT_EQ(result_of(redeem(checkout("o-5"))), "applied");
}

TEST_F(DeskTest, WhatIsHeldIsNobodyElsesUntilItFallsDue) {
  use(campaign());
  Offer offer = twenty();
  offer.limits = {{.value = 1}};
  use(offer);
  const Outcome held = hold(checkout("o-1"));
  ASSERT_TRUE(held.ok() && held->order) << result_of(held);
  EXPECT_EQ(balance("offer/twenty/uses"), (Balance{0, 1}));
  EXPECT_EQ(hold(checkout("o-1"))->order->number, held->order->number);
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob"))), "BUDGET");
  reopen();
  on_->clock.advance(k_minute_ms);
  EXPECT_EQ(result_of(redeem_held(held->order->number, "o-1")), "EXPIRED");
  EXPECT_EQ(balance("offer/twenty/uses"), (Balance{0, 0}));
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{0, 0}));
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob"))), "applied");
  expect_sound();
}

TEST_F(DeskTest, AReservationIsSpentOnceOrReleased) {
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 4000}}));
  use(twenty());
  const Outcome first = hold(checkout("o-1"));
  const Outcome second = hold(checkout("o-2", "bob"));
  EXPECT_EQ(result_of(hold(checkout("o-3", "cy"))), "BUDGET");
  EXPECT_EQ(result_of(redeem_held(first->order->number, "o-1")), "applied");
  EXPECT_EQ(result_of(redeem_held(first->order->number, "o-1")), "applied");
  EXPECT_TRUE(absl::IsAborted(redeem_held(first->order->number, "o-9").status()));
  EXPECT_TRUE(absl::IsAborted(release(first->order->number).status()));
  EXPECT_EQ(result_of(release(second->order->number)), "released");
  EXPECT_EQ(result_of(release(second->order->number)), "released");
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{2000, 0}));
  expect_sound();
}

TEST_F(DeskTest, AnotherCartForTheSameOrderTakesThePlaceOfTheFirst) {
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 2000}}));
  use(twenty());
  const Outcome first = hold(checkout("o-1"));
  Checkout other = checkout("o-1");
  other.request_hash = "other";
  const Outcome second = hold(other);
  ASSERT_TRUE(second.ok() && second->order) << result_of(second);
  EXPECT_NE(second->order->number, first->order->number);
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{0, 2000}));
  // Redeeming the order itself takes what it holds.
  EXPECT_EQ(result_of(redeem(checkout("o-1"))), "applied");
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{2000, 0}));
}

TEST_F(DeskTest, AFirstOrderIsOneForAUserAndForWhatTellsThemAgain) {
  use(campaign());
  Offer offer = twenty();
  offer.conditions.first_order = true;
  use(offer);
  Checkout ann = checkout("o-1", "ann");
  ann.identifiers = {"phone-hash"};
  const Outcome held = hold(ann);
  ASSERT_TRUE(held.ok() && held->order) << result_of(held);
  EXPECT_EQ(result_of(redeem(checkout("o-2", "ann"))), "FIRST_ORDER_ONLY");
  Checkout bob = checkout("o-3", "bob");
  bob.identifiers = {"phone-hash"};
  EXPECT_EQ(result_of(redeem(bob)), "FIRST_ORDER_ONLY");
  EXPECT_EQ(result_of(release(held->order->number)), "released");
  EXPECT_EQ(result_of(redeem(bob)), "applied");
  EXPECT_EQ(result_of(redeem(ann)), "FIRST_ORDER_ONLY");
}

TEST_F(DeskTest, AnHonouredCouponIsNeverRefusedForItsBudget) {
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 4000}}));
  use(twenty());
  Offer gift = twenty();
  gift.id = "promise";
  gift.code = "";
  gift.trigger = Trigger::granted;
  gift.is_honoured = true;
  gift.days_after_grant = 7;
  use(gift);
  const auto issued = issue({.offer = "promise", .round = "1", .user_ids = {"ann", "bob", "cy"}});
  ASSERT_THAT(issued, SizeIs(3));
  EXPECT_TRUE(issued[0].is_new && issued[1].is_new);
  EXPECT_EQ(issued[2].denial->reason, Reason::budget);
  EXPECT_FALSE(issue({.offer = "promise", .round = "1", .user_ids = {"ann"}})[0].is_new);
  EXPECT_EQ(result_of(redeem(checkout("o-1", "di"))), "BUDGET");
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob", {issued[0].grant->code}))), "NOT_YOURS");
  EXPECT_EQ(result_of(redeem(checkout("o-2", "ann", {issued[0].grant->code}))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-3", "ann", {issued[0].grant->code}))), "USED");
  expect_sound();
  // What bob does not use falls back to the others.
  reopen();
  on_->clock.advance(7 * k_day_ms);
  EXPECT_EQ(result_of(redeem(checkout("o-4", "bob", {issued[1].grant->code}))), "EXPIRED");
  EXPECT_EQ(result_of(redeem(checkout("o-5", "di"))), "applied");
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{4000, 0}));
  expect_sound();
}

TEST_F(DeskTest, PeopleClaimWhatIsThereOnceEach) {
  use(campaign());
  Offer offer = twenty();
  offer.code = "";
  offer.trigger = Trigger::claimed;
  offer.limits = {{.measure = Measure::issued, .value = 2}};
  use(offer);
  const auto claim = [&](std::string user) {
    return issue({.offer = "twenty", .user_ids = {std::move(user)}, .is_claim = true})[0];
  };
  EXPECT_TRUE(claim("ann").is_new);
  EXPECT_FALSE(claim("ann").is_new);
  EXPECT_TRUE(claim("bob").is_new);
  EXPECT_EQ(claim("cy").denial->reason, Reason::budget);
}

TEST_F(DeskTest, CodesOfManyAreEachGoodOnce) {
  use(campaign());
  Offer offer = twenty();
  offer.code = "";
  use(offer);
  const auto issued = issue({.offer = "twenty", .codes = 20});
  ASSERT_THAT(issued, SizeIs(20));
  std::string typed = issued[3].grant->code;
  std::ranges::transform(typed, typed.begin(),
                         [](char c) { return static_cast<char>(std::tolower(c)); });
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann", {typed}))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob", {issued[3].grant->code}))), "USED");
  EXPECT_EQ(result_of(redeem(checkout("o-3", "bob", {"NOSUCHCODE"}))), "UNKNOWN_CODE");
  DenialBook::Counts expected = {};
  expected.at(static_cast<std::size_t>(Reason::used)) = 1;
  EXPECT_EQ(desk_->denials().counts_of("twenty"), expected);
}

TEST_F(DeskTest, ACodeHas65RandomBitsAndALetterThatChecksThem) {
  const std::string code = normalized_code(make_code());
  EXPECT_TRUE(is_made_code(code));
  for (std::size_t place = 0; place < code.size(); ++place) {
    std::string wrong = code;
    wrong[place] = wrong[place] == '7' ? '8' : '7';
    EXPECT_FALSE(is_made_code(wrong)) << place;
  }
  EXPECT_NE(make_code(), make_code());
}

TEST_F(DeskTest, ReturnsKeepTheSumsExactAndGiveTheRestBack) {
  use(campaign());
  use(twenty());
  std::ignore = redeem(checkout("o-1"));
  const Outcome first = give_back("o-1", "r-1", {{"a", 1}});
  ASSERT_TRUE(first.ok()) << first.status();
  // 40.00 less half of 13.33.
  EXPECT_EQ(first->order->returns.back().refund.minor, 4000 - 667);
  EXPECT_EQ(balance("offer/twenty/discount/EUR").committed, 1333);
  EXPECT_EQ(give_back("o-1", "r-1", {{"a", 1}})->order->returns.size(), 1U);
  EXPECT_TRUE(absl::IsFailedPrecondition(give_back("o-1", "r-2", {{"a", 2}}).status()));
  const Outcome rest = give_back("o-1", "r-2", {});
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(first->order->returns.back().refund.minor + rest->order->returns.back().refund.minor,
            10'000);
  EXPECT_EQ(rest->order->state, OrderState::returned);
  EXPECT_EQ(balance("offer/twenty/discount/EUR"), Balance{});
  EXPECT_EQ(balance("campaign/spring/uses"), Balance{});
  expect_sound();
}

TEST_F(DeskTest, AReturnThatBreaksTheThresholdFollowsThePolicy) {
  use(campaign());
  Offer offer = twenty();
  offer.on_return = ReturnPolicy::recalculate;
  use(offer);
  std::ignore = redeem(checkout("o-1"));
  // 80.00 are kept without a discount: 100.00 were paid, 20.00 come back.
  EXPECT_EQ(give_back("o-1", "r-1", {{"b", 4}})->order->returns.back().refund.minor, 2000);
  offer.on_return = ReturnPolicy::keep;
  use(offer);
  std::ignore = redeem(checkout("o-2", "bob"));
  const Outcome kept = give_back("o-2", "r-1", {{"b", 3}});
  EXPECT_EQ(kept->order->returns.back().refund.minor, 3000);
  expect_sound();
}

TEST_F(DeskTest, WhoIsForgottenHasNoGrantsAndTheirOrdersNameNobody) {
  use(campaign());
  Offer offer = twenty();
  offer.code = "";
  offer.trigger = Trigger::granted;
  use(offer);
  const auto issued = issue({.offer = "twenty", .round = "1", .user_ids = {"ann"}});
  std::ignore = redeem(checkout("o-1", "ann", {issued[0].grant->code}));
  const events::DataSubject subject = identities_->subject("ann", "").value().value();
  EXPECT_THAT(desk_->export_person(subject).value(), HasSubstr("o-1"));
  const auto erased = desk_->erase_person(subject, on_->committer);
  EXPECT_EQ(erased->dropped, 1U);
  EXPECT_EQ(erased->kept_without_person, 1U);
  EXPECT_EQ(desk_->export_person(subject).value(), "[]");
  EXPECT_EQ(desk_->redemption("o-1").value()->user, k_nobody);
  expect_sound();
}

// 20 pieces at a price of their own, two a person, for one second.
TEST_F(DeskTest, AFlashSaleEndsWithItsStockOrItsTime) {
  use(campaign());
  Offer offer{.id = "flash",
              .campaign = "spring",
              .trigger = Trigger::automatic,
              .effect = {.kind = Kind::bundle, .set = {{"shirt", 1}}, .max_quantity = 2}};
  offer.amounts["*"] = {.currency = "EUR", .price = {1000}};
  offer.limits = {{.measure = Measure::stock, .value = 3},
                  {.measure = Measure::stock, .scope = Scope::user, .value = 2}};
  offer.start_ms = CommitterOnStore::k_now_ms;
  offer.end_ms = CommitterOnStore::k_now_ms + k_second_ms;
  use(offer);
  const auto sold = [&](const std::string& order, const std::string& user, std::int64_t pieces) {
    Checkout one = checkout(order, user, {});
    one.cart.lines = {{"a", "shirt", {4000}, pieces}};
    const Outcome outcome = redeem(one);
    return outcome.ok() && outcome->order ? outcome->order->discount().minor : -1;
  };
  const auto said = [&](const std::string& user) {
    Checkout one = checkout("", user, {});
    one.shopper.user = identities_->find(user, "").user;
    const auto all = desk_->qualify(one).value();
    return all.at(0).denial ? std::string(name_of(all.at(0).denial->reason)) : "usable";
  };
  EXPECT_EQ(sold("o-1", "ann", 5), 6000);  // two of five
  EXPECT_EQ(said("ann"), "USER_LIMIT");
  EXPECT_EQ(said("bob"), "usable");
  EXPECT_EQ(sold("o-2", "bob", 1), 3000);
  EXPECT_EQ(said("cy"), "STOCK");
  EXPECT_EQ(sold("o-3", "cy", 1), 0);
  EXPECT_EQ(balance("offer/flash/stock").committed, 3);
  std::ignore = give_back("o-2", "r-1", {});
  EXPECT_EQ(said("cy"), "usable");
  on_->clock.advance(k_second_ms);
  EXPECT_EQ(said("cy"), "EXPIRED");
  expect_sound();
}

TEST_F(DeskTest, AFirstOrderThatWasCancelledIsNone) {
  use(campaign());
  Offer offer = twenty();
  offer.conditions.first_order = true;
  use(offer);
  EXPECT_EQ(result_of(redeem(checkout("o-1"))), "applied");
  EXPECT_EQ(result_of(redeem(checkout("o-2"))), "FIRST_ORDER_ONLY");
  // The shop told that it was taken back as a whole.
  Checkout next = checkout("o-2");
  next.shopper.cancelled_orders = {profiles::fixed_hash("o-1")};
  EXPECT_EQ(result_of(redeem(next)), "applied");
  // What comes of the first one after that does not free the second.
  EXPECT_TRUE(give_back("o-1", "r-1", {}).ok());
  EXPECT_EQ(result_of(redeem(checkout("o-3"))), "FIRST_ORDER_ONLY");
}

// A refusal costs the order nothing of what it holds.
TEST_F(DeskTest, ARefusedRedemptionLeavesItsReservationAsItIs) {
  use(campaign({{.measure = Measure::discount, .currency = "EUR", .value = 2000}}));
  use(twenty());
  const Outcome held = hold(checkout("o-1"));
  ASSERT_TRUE(held.ok() && held->order) << result_of(held);
  Checkout smaller = checkout("o-1");
  smaller.cart.lines.resize(1);
  smaller.request_hash = "other";
  EXPECT_EQ(result_of(redeem(smaller)), "MIN_SPEND");
  EXPECT_EQ(result_of(hold(smaller)), "MIN_SPEND");
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{0, 2000}));
  EXPECT_EQ(result_of(redeem(checkout("o-2", "bob"))), "BUDGET");
  expect_sound();
  // All there is, is this order's: it is priced and redeemed on what it holds itself.
  EXPECT_THAT(desk_->check(checkout("o-1"))->denied, ::testing::IsEmpty());
  EXPECT_EQ(result_of(redeem(checkout("o-1"))), "applied");
  EXPECT_EQ(balance("campaign/spring/discount/EUR"), (Balance{2000, 0}));
  expect_sound();
}

TEST_F(DeskTest, WhatIsHeldForNothingIsFound) {
  use(campaign());
  use(twenty());
  const Outcome held = hold(checkout("o-1"));
  expect_sound();
  // As a fault would leave it: the reservation is gone, the balance still holds for it.
  ASSERT_TRUE(on_->committer
                  .submit_and_wait([&](events::Batch& batch) {
                    batch.erase(store::Family::grants, reservation_key(held->order->number));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(check_open_holds(*database_).status().message(), HasSubstr("holds 2000"));
}

// 64 threads, 100,000 attempts in all, room for 1,000.
TEST_F(DeskTest, ManyAtOnceGetExactlyWhatThereIs) {
  constexpr int k_threads = 64;
  constexpr int k_attempts = 100'000;
  constexpr int k_limit = 1000;
  use(campaign());
  Offer offer = twenty();
  offer.limits = {{.value = k_limit}};
  use(offer);
  std::atomic<int> next = 0;
  std::atomic<int> applied = 0;
  std::atomic<int> refused = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < k_threads; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < k_attempts; i = next++) {
        const std::string result = result_of(redeem(checkout("o-" + std::to_string(i), "")));
        applied += result == "applied" ? 1 : 0;
        refused += result == "BUDGET" ? 1 : 0;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(applied, k_limit);
  EXPECT_EQ(refused, k_attempts - k_limit);
  EXPECT_EQ(balance("offer/twenty/uses"), (Balance{k_limit, 0}));
  expect_sound();
}

TEST_F(DeskTest, OneOrderSentFiftyTimesAtOnceIsOneRedemptionWithFiftyEqualAnswers) {
  use(campaign());
  use(twenty());
  std::vector<std::string> answers(50);
  std::vector<std::jthread> threads;
  for (std::string& answer : answers) {
    threads.emplace_back([&] {
      const Outcome outcome = redeem(checkout("o-1"));
      if (outcome.ok() && outcome->order) answer = encode(*outcome->order);
    });
  }
  threads.clear();
  EXPECT_FALSE(answers[0].empty());
  EXPECT_EQ(std::ranges::count(answers, answers[0]), 50);
  EXPECT_EQ(balance("offer/twenty/uses").committed, 1);
}

}  // namespace
}  // namespace vitrine::coupons
