#include "server/coupons/denial_book.h"

#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;

class DenialBookTest : public testing::Test {
 protected:
  DenialBookTest() { open(); }
  ~DenialBookTest() override { on_->committer.stop(); }
  void open() {
    database_ = open_store(folder_.path());
    on_.emplace(*database_);
    book_ = DenialBook::open(*database_, on_->metrics).value();
  }
  void reopen() {
    on_->committer.stop();
    book_.reset();
    on_.reset();
    database_.reset();
    open();
  }
  void deny(const std::string& offer, Reason reason, TimeMs time_ms) {
    book_->note(on_->committer, {{.code = "X", .offer = offer, .denial = {.reason = reason}}},
                time_ms);
  }
  std::uint64_t ever(std::string_view offer, Reason reason) const {
    return book_->counts_of(offer).at(static_cast<std::size_t>(reason));
  }
  std::uint64_t between(std::string_view offer, Reason reason, TimeMs from_ms, TimeMs until_ms) {
    return book_->counts_of(offer, from_ms, until_ms).value().at(static_cast<std::size_t>(reason));
  }
  std::size_t keys() const {
    std::size_t count = 0;
    const auto cursor = database_->walk(store::Family::coupons, "d", false);
    for (; cursor->valid() && cursor->key().starts_with('d'); cursor->next()) ++count;
    return count;
  }

  static constexpr TimeMs k_day = 20'000 * k_day_ms;
  const TempFolder folder_;
  std::unique_ptr<store::Database> database_;
  std::optional<CommitterOnStore> on_;
  std::shared_ptr<DenialBook> book_;
};

TEST_F(DenialBookTest, WhatWasRefusedIsKnownAfterARestartByOfferReasonAndDay) {
  deny("a", Reason::budget, k_day);
  deny("a", Reason::budget, k_day + 5);
  deny("ab", Reason::budget, k_day);
  deny("a", Reason::expired, k_day + k_day_ms);
  deny("a", Reason::budget, k_day + 2 * k_day_ms);
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(ever("a", Reason::budget), 3U);
    EXPECT_EQ(ever("ab", Reason::budget), 1U);
    EXPECT_EQ(ever("a", Reason::expired), 1U);
    EXPECT_EQ(between("a", Reason::budget, k_day, k_day + k_day_ms), 2U);
    EXPECT_EQ(between("a", Reason::budget, k_day + k_day_ms, k_day + 9 * k_day_ms), 1U);
    EXPECT_EQ(between("a", Reason::expired, k_day + k_day_ms, k_day + k_day_ms), 1U);
    EXPECT_EQ(between("none", Reason::budget, 0, k_day), 0U);
    reopen();
  }
  deny("a", Reason::budget, k_day + 2 * k_day_ms);
  EXPECT_EQ(ever("a", Reason::budget), 4U);
  EXPECT_EQ(between("a", Reason::budget, k_day + 2 * k_day_ms, k_day + 2 * k_day_ms), 2U);
}

// A hundred thousand guesses are one entry of the day, and one of all days.
TEST_F(DenialBookTest, AFloodOfUnknownCodesGrowsNothing) {
  for (int i = 0; i < 100'000; ++i) deny("", Reason::unknown_code, k_day + i);
  reopen();
  EXPECT_EQ(ever("", Reason::unknown_code), 100'000U);
  EXPECT_EQ(keys(), 2U);
}

TEST_F(DenialBookTest, DaysThatAreLongPastGoAndTheirSumStays) {
  deny("a", Reason::budget, k_day);
  reopen();
  deny("a", Reason::budget, k_day + DenialBook::k_days_kept * k_day_ms);
  reopen();
  EXPECT_EQ(keys(), 2U);
  EXPECT_EQ(ever("a", Reason::budget), 2U);
}

class LoggedDenialsTest : public DeskTest {
 protected:
  std::vector<Event> logged() {
    on_->committer.stop();
    std::vector<Event> events;
    const auto cursor = database_->walk(store::Family::log, "", true);
    for (; cursor->valid(); cursor->next()) {
      const auto entry = decode_log_entry(*store::number_in(cursor->key()), cursor->value());
      if (!entry.ok()) continue;
      if (const auto* event = std::get_if<Event>(&entry->what)) events.push_back(*event);
    }
    return events;
  }
};

TEST_F(LoggedDenialsTest, ARefusedOrderIsAnEventOfItsPersonAndUnknownCodesAreNone) {
  use(campaign({{.measure = Measure::uses, .value = 0}}));
  use(twenty());
  EXPECT_EQ(result_of(redeem(checkout("o-1", "ann", {"TWENTY", "NONE"}))), "BUDGET");
  EXPECT_EQ(result_of(redeem(checkout("o-2", "", {"TWENTY"}))), "BUDGET");
  const std::vector<Event> events = logged();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, EventType::coupon_deny);
  EXPECT_EQ(events[0].order_id, "o-1");
  EXPECT_EQ(events[0].coupon_code, "TWENTY");
  EXPECT_EQ(events[0].properties_json, R"({"offer":"twenty","reason":"BUDGET"})");
}

TEST_F(LoggedDenialsTest, AMinuteHasABoundedNumberOfThem) {
  use(campaign({{.measure = Measure::uses, .value = 0}}));
  use(twenty());
  for (std::size_t i = 0; i < Desk::k_denials_logged_max + 50; ++i) {
    std::ignore = redeem(checkout("o-" + std::to_string(i)));
  }
  const std::size_t counted =
      desk_->denials().counts_of("twenty").at(static_cast<std::size_t>(Reason::budget));
  EXPECT_EQ(counted, Desk::k_denials_logged_max + 50);
  EXPECT_EQ(logged().size(), Desk::k_denials_logged_max);
}

}  // namespace
}  // namespace vitrine::coupons
