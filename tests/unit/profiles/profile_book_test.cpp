#include "server/profiles/profile_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/random.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

class ProfileBookTest : public ::testing::Test {
 protected:
  std::vector<std::string> recent_ids(std::uint32_t user) {
    std::vector<std::string> ids;
    for (const ProfileEvent& event : book_.find(UserNumber(user))->recent) {
      ids.emplace_back(numbers_.id_of(event.product));
    }
    return ids;
  }

  catalog::ProductNumbers numbers_;
  ProfileBook book_{numbers_};
  Entries entries_;
};

TEST_F(ProfileBookTest, KnowsNobodyBeforeTheirFirstEvent) {
  EXPECT_EQ(book_.find(UserNumber(1)), nullptr);

  book_.apply(entries_.view(1, "cup", k_now_ms));

  ASSERT_NE(book_.find(UserNumber(1)), nullptr);
  EXPECT_EQ(book_.find(UserNumber(2)), nullptr);
  EXPECT_EQ(book_.size(), 1U);
  EXPECT_EQ(book_.position(), 1U);
}

TEST_F(ProfileBookTest, ForgetsWhoIsErasedAndNobodyElse) {
  book_.apply(entries_.view(1, "cup", k_now_ms));
  book_.apply(entries_.view(2, "cup", k_now_ms));
  book_.apply(entries_.erasure({UserNumber(1), UserNumber(7)}));
  EXPECT_EQ(book_.find(UserNumber(1)), nullptr);
  EXPECT_NE(book_.find(UserNumber(2)), nullptr);
  EXPECT_EQ(book_.size(), 1U);
}

TEST_F(ProfileBookTest, KeepsTheLatestHundredNewestFirst) {
  for (int i = 0; i < 130; ++i) {
    book_.apply(entries_.view(1, "p" + std::to_string(i), k_now_ms + i));
  }

  const std::vector<std::string> recent = recent_ids(1);

  ASSERT_EQ(recent.size(), Profile::k_recent_max);
  EXPECT_EQ(recent.front(), "p129");
  EXPECT_EQ(recent.back(), "p30");
  EXPECT_EQ(book_.find(UserNumber(1))->events, 130U);
}

TEST_F(ProfileBookTest, EndsInTheSameStateInWhateverOrderEventsArrive) {
  Random random(7);
  std::vector<LogEntry> log;
  for (int i = 0; i < 300; ++i) {
    // Few different times, so that many are equal.
    const TimeMs time_ms = k_now_ms + static_cast<TimeMs>(random.below(40));
    const EventType type = i % 3 == 0    ? EventType::purchase
                           : i % 7 == 0  ? EventType::refund
                           : i % 20 == 0 ? EventType::cancel
                           : i % 2 == 0  ? EventType::impression
                                         : EventType::view;
    // Cancels of whole orders and of single lines, purchases and refunds with and without an order.
    const std::string product_id = i % 40 == 0 ? "" : "p" + std::to_string(random.below(6));
    const std::string order_id = i % 11 == 0 ? "" : "o" + std::to_string(random.below(20));
    log.push_back(entries_.event(1, type, product_id, time_ms, order_id,
                                 "s" + std::to_string(i / 5),
                                 static_cast<std::int64_t>(random.below(5))));
  }
  for (const LogEntry& entry : log) book_.apply(entry);

  for (std::size_t i = log.size() - 1; i > 0; --i) std::swap(log[i], log[random.below(i + 1)]);
  ProfileBook shuffled(numbers_);
  Position position = 0;
  for (LogEntry entry : log) {
    entry.position = ++position;
    shuffled.apply(entry);
  }

  EXPECT_EQ(*book_.find(UserNumber(1)), *shuffled.find(UserNumber(1)));
  std::uint32_t taken_back = 0;
  for (const Bought& bought : shuffled.find(UserNumber(1))->bought) taken_back += bought.refunds;
  EXPECT_GT(taken_back, 0U);
}

TEST_F(ProfileBookTest, CountsPurchasesRefundsAndOrders) {
  book_.apply(entries_.event(1, EventType::purchase, "cup", k_now_ms, "o1"));
  book_.apply(entries_.event(1, EventType::purchase, "cup", k_now_ms + 9, "o2"));
  book_.apply(entries_.event(1, EventType::purchase, "pot", k_now_ms + 9, "o2"));
  book_.apply(entries_.event(1, EventType::refund, "cup", k_now_ms + 20, "o2"));

  const auto profile = book_.find(UserNumber(1));

  EXPECT_EQ(profile->orders, 2U);
  ASSERT_EQ(profile->bought.size(), 2U);
  EXPECT_EQ(profile->bought[0].purchases, 2U);
  EXPECT_EQ(profile->bought[0].refunds, 1U);
  EXPECT_EQ(profile->bought[0].last_ms, k_now_ms + 9);
  EXPECT_EQ(profile->bought[1].purchases, 1U);
}

TEST_F(ProfileBookTest, MovesAVisitorsHistoryToTheUserItTurnsOutToBe) {
  book_.apply(entries_.view(1, "cup", k_now_ms + 1));
  book_.apply(entries_.event(2, EventType::purchase, "pot", k_now_ms, "o1"));
  book_.apply(entries_.view(2, "tea", k_now_ms + 2));

  book_.apply(entries_.link(2, 2, 1));

  EXPECT_EQ(book_.find(UserNumber(2)), nullptr);
  EXPECT_EQ(book_.size(), 1U);
  EXPECT_THAT(recent_ids(1), testing::ElementsAre("tea", "cup", "pot"));
  const auto profile = book_.find(UserNumber(1));
  EXPECT_EQ(profile->events, 3U);
  EXPECT_EQ(profile->orders, 1U);
  EXPECT_EQ(profile->first_seen_ms, k_now_ms);
  EXPECT_EQ(profile->last_seen_ms, k_now_ms + 2);
  ASSERT_EQ(profile->bought.size(), 1U);
}

TEST_F(ProfileBookTest, LeavesAHistoryWithTheUserWhenItsVisitorMovesOn) {
  book_.apply(entries_.view(1, "cup", k_now_ms));

  book_.apply(entries_.link(2, 1, 3));

  EXPECT_THAT(recent_ids(1), testing::ElementsAre("cup"));
  EXPECT_EQ(book_.find(UserNumber(3)), nullptr);
}

TEST_F(ProfileBookTest, AnOrderToldAgainIsTheSameOrder) {
  book_.apply(entries_.event(1, EventType::purchase, "cup", k_now_ms, "o1"));
  book_.apply(entries_.event(1, EventType::purchase, "pot", k_now_ms, "o1"));
  book_.apply(entries_.event(1, EventType::purchase, "tea", k_now_ms, "o2"));
  book_.apply(entries_.takeover(1, "o1"));
  LogEntry again = entries_.event(1, EventType::purchase, "cup", k_now_ms + 5, "o1");
  std::get<Event>(again.what).telling = OrderTelling::again;
  book_.apply(again);
  LogEntry old = entries_.event(1, EventType::purchase, "pot", k_now_ms - 5, "o1");
  std::get<Event>(old.what).telling = OrderTelling::superseded;
  book_.apply(old);

  const auto profile = book_.find(UserNumber(1));
  EXPECT_EQ(profile->orders, 2U);
  ASSERT_EQ(profile->bought.size(), 2U) << "a cup and the tea, and no pot";
  EXPECT_EQ(profile->bought[0].purchases, 1U);
  EXPECT_THAT(recent_ids(1), testing::UnorderedElementsAre("cup", "pot", "tea"));

  book_.apply(entries_.takeover(7, "o1"));
  EXPECT_EQ(book_.find(UserNumber(7)), nullptr) << "nobody is made by it";
}

TEST_F(ProfileBookTest, KnowsWhatEachVisitorDidOfIt) {
  LogEntry here = entries_.event(1, EventType::purchase, "cup", k_now_ms);
  here.visitor = UserNumber(8);
  LogEntry there = entries_.view(1, "pot", k_now_ms + 1);
  there.visitor = UserNumber(9);
  book_.apply(here);
  book_.apply(there);
  book_.apply(entries_.view(1, "tea", k_now_ms + 2));

  const auto decoded = decode_profile(encode(*book_.find(UserNumber(1))));
  ASSERT_TRUE(decoded.ok());
  const Profile own = own_part(*decoded, visitor_tag_of(UserNumber(8)));
  ASSERT_EQ(own.recent.size(), 1U);
  EXPECT_EQ(own.recent[0].type, EventType::purchase);
  ASSERT_EQ(own.bought.size(), 1U);
  EXPECT_TRUE(own.bought[0].is_kept());
  EXPECT_EQ(own_part(*decoded, visitor_tag_of(UserNumber(5))).events, 0U);
}

TEST_F(ProfileBookTest, IgnoresAnEntryItHasAlreadyApplied) {
  const LogEntry first = entries_.view(1, "cup", k_now_ms);
  book_.apply(first);
  book_.apply(entries_.view(1, "pot", k_now_ms));

  book_.apply(first);

  EXPECT_EQ(book_.find(UserNumber(1))->events, 2U);
}

TEST_F(ProfileBookTest, NeverChangesAProfileSomebodyHolds) {
  book_.apply(entries_.view(1, "cup", k_now_ms));
  const auto held = book_.find(UserNumber(1));

  book_.apply(entries_.view(1, "pot", k_now_ms + 1));

  EXPECT_EQ(held->recent.size(), 1U);
  EXPECT_EQ(book_.find(UserNumber(1))->recent.size(), 2U);
}

TEST_F(ProfileBookTest, TakesWhatAPersonDidNotWhatTheyWereShown) {
  book_.apply(entries_.event(1, EventType::impression, "cup", k_now_ms));
  book_.apply(entries_.event(1, EventType::search, "", k_now_ms));

  EXPECT_EQ(book_.find(UserNumber(1))->events, 2U);
  EXPECT_TRUE(book_.find(UserNumber(1))->recent.empty());
  ASSERT_EQ(book_.find(UserNumber(1))->seen.size(), 1U);
  EXPECT_EQ(numbers_.id_of(book_.find(UserNumber(1))->seen.front().product), "cup");
}

TEST_F(ProfileBookTest, KeepsTheLatestImpressionsNewestFirstAndBringsThemAlong) {
  const int count = static_cast<int>(Profile::k_seen_max) + 10;
  for (int i = 0; i < count; ++i) {
    book_.apply(entries_.event(1, EventType::impression, "p" + std::to_string(i), k_now_ms + i));
  }

  const auto profile = book_.find(UserNumber(1));

  ASSERT_EQ(profile->seen.size(), Profile::k_seen_max);
  EXPECT_EQ(profile->seen.front().time_ms, k_now_ms + count - 1);
  EXPECT_EQ(profile->seen.back().time_ms, k_now_ms + 10);
  Profile user;
  keep_seen({.time_ms = k_now_ms + count, .product = ProductNumber(0)}, user);
  merge(*profile, user);
  ASSERT_EQ(user.seen.size(), Profile::k_seen_max);
  EXPECT_EQ(user.seen.front().time_ms, k_now_ms + count);
  EXPECT_EQ(user.seen.back().time_ms, k_now_ms + 11);
}

TEST_F(ProfileBookTest, KeepsNothingOfAnOrderWithoutACustomer) {
  book_.apply(entries_.event(0, EventType::purchase, "cup", k_now_ms, "o1"));

  EXPECT_EQ(book_.size(), 0U);
  EXPECT_EQ(book_.find(k_nobody), nullptr);
  EXPECT_EQ(book_.position(), 1U);
}

TEST_F(ProfileBookTest, IsReadWhileItIsWritten) {
  constexpr std::uint32_t k_users = 5;
  std::thread reader([&] {
    while (book_.position() < 5000) {
      for (std::uint32_t user = 1; user <= k_users; ++user) {
        const auto profile = book_.find(UserNumber(user));
        if (profile == nullptr) continue;
        ASSERT_EQ(profile->recent.size(), std::min<std::size_t>(profile->events, 100));
      }
    }
  });
  for (std::uint32_t i = 0; i < 5000; ++i) {
    book_.apply(entries_.view(1 + i % k_users, "p" + std::to_string(i % 50), k_now_ms + i));
  }
  reader.join();

  EXPECT_EQ(book_.find(UserNumber(1))->events, 1000U);
}

}  // namespace
}  // namespace vitrine::profiles
