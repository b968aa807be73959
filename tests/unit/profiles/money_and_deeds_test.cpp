// What a profile knows of money and of when things were done: the same in whatever order events
// come, less what came back, and whole after a merge and in its stored form.
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "server/catalog/product_numbers.h"
#include "server/profiles/profile.h"
#include "server/profiles/profile_book.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

constexpr ProductNumber k_cup{1};
constexpr ProductNumber k_pot{2};

using Step = std::function<void(Profile&)>;

Paid euros(std::int64_t cents) { return {.minor = cents, .currency = currency_code_of("EUR")}; }

Step bought(ProductNumber product, std::uint64_t order, std::uint64_t pieces, Paid paid,
            TimeMs time_ms = k_now_ms) {
  return [=](Profile& profile) { add_purchase(product, order, pieces, time_ms, profile, paid); };
}
Step returned(ProductNumber product, std::uint64_t order, std::uint64_t pieces) {
  return [=](Profile& profile) { add_refund(product, order, pieces, profile); };
}
Step cancelled(std::uint64_t order) {
  return [=](Profile& profile) { cancel_order(order, profile); };
}

// In both orders, and with the first half done by a visitor that turned out to be the user.
std::vector<OrderSum> orders_after(const std::vector<Step>& steps) {
  Profile forwards;
  Profile backwards;
  Profile visitor;
  Profile user;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    steps[i](forwards);
    steps[steps.size() - 1 - i](backwards);
    steps[i](i < steps.size() / 2 ? visitor : user);
  }
  merge(visitor, user);
  EXPECT_EQ(orders_of(forwards), orders_of(backwards));
  EXPECT_EQ(orders_of(forwards), orders_of(user));
  EXPECT_EQ(orders_of(forwards), orders_of(*decode_profile(encode(forwards))));
  return orders_of(forwards);
}

std::vector<std::int64_t> nets(const std::vector<OrderSum>& orders) {
  std::vector<std::int64_t> minors;
  for (const OrderSum& order : orders) minors.push_back(order.net.minor);
  return minors;
}

TEST(OrdersOfTest, AnOrderIsTheSumOfItsLinesAndTheOldestIsFirst) {
  const auto orders =
      orders_after({bought(k_cup, 7, 2, euros(500)), bought(k_pot, 7, 1, euros(250)),
                    bought(k_cup, 8, 1, euros(300), k_now_ms - k_day_ms)});
  EXPECT_THAT(nets(orders), testing::ElementsAre(300, 750));
  EXPECT_EQ(orders[1].time_ms, k_now_ms);
  EXPECT_EQ(currency_of(orders[1].net.currency), "EUR");
}

TEST(OrdersOfTest, WhatComesBackTakesItsShareOfTheMoney) {
  EXPECT_THAT(nets(orders_after({bought(k_cup, 7, 4, euros(1000)), returned(k_cup, 7, 1)})),
              testing::ElementsAre(750));
  EXPECT_THAT(nets(orders_after({bought(k_cup, 7, 4, euros(1000)), bought(k_pot, 7, 1, euros(200)),
                                 returned(k_cup, 7, 4)})),
              testing::ElementsAre(200))
      << "the order stays as long as something of it does";
  EXPECT_THAT(nets(orders_after({bought(k_cup, 7, 4, euros(1000)), returned(k_cup, 99, 2)})),
              testing::ElementsAre(500))
      << "what comes back under another order is taken off the latest purchases";
}

TEST(OrdersOfTest, WhatIsTakenBackAsAWholeIsNoOrder) {
  EXPECT_THAT(orders_after({bought(k_cup, 7, 4, euros(1000)), returned(k_cup, 7, 4)}),
              testing::IsEmpty());
  EXPECT_THAT(nets(orders_after({bought(k_cup, 7, 4, euros(1000)), bought(k_pot, 8, 1, euros(20)),
                                 cancelled(7)})),
              testing::ElementsAre(20));
}

TEST(OrdersOfTest, PurchasesWithoutAnOrderAreOrdersOfTheirOwn) {
  const auto orders =
      orders_after({bought(k_cup, 0, 1, euros(100)), bought(k_cup, 0, 1, euros(100)),
                    bought(k_pot, 0, 1, euros(50))});
  ASSERT_EQ(orders.size(), 2U) << "one sum a product";
  EXPECT_EQ(orders[0].count + orders[1].count, 3U);
}

TEST(PaidTest, IsNeverMoreThanItsLimitAndOfOneCurrency) {
  const Paid much = euros(Paid::k_minor_max);
  EXPECT_EQ(together(much, much), much);
  const Paid dollars{.minor = 5, .currency = currency_code_of("USD")};
  EXPECT_EQ(together(dollars, euros(900)), dollars);
  EXPECT_EQ(together(euros(900), dollars), dollars);
  EXPECT_EQ(currency_code_of("euro"), 0U);
}

TEST(DeedsTest, AreCountedByTheMinuteInWhateverOrderTheyCome) {
  const std::vector<TimeMs> times = {0, 30'000, 59'999, k_minute_ms, 5 * k_hour_ms, -k_day_ms};
  Profile forwards;
  Profile backwards;
  for (std::size_t i = 0; i < times.size(); ++i) {
    keep_deed(EventType::view, k_now_ms - k_now_ms % k_minute_ms + times[i], forwards);
    keep_deed(EventType::view, k_now_ms - k_now_ms % k_minute_ms + times[times.size() - 1 - i],
              backwards);
  }
  keep_deed(EventType::search, k_now_ms, forwards);
  keep_deed(EventType::search, k_now_ms, backwards);
  EXPECT_EQ(forwards.deeds, backwards.deeds);
  std::vector<std::uint32_t> counts;
  for (const DeedsOfMinute& deeds : forwards.deeds) counts.push_back(deeds.count);
  EXPECT_THAT(counts, testing::ElementsAre(1, 3, 1, 1, 1));
  EXPECT_EQ(decode_profile(encode(forwards))->deeds, forwards.deeds);
}

TEST(DeedsTest, OfTooManyMinutesTheNewestOfEachTypeStay) {
  const auto count = static_cast<TimeMs>(Profile::k_minutes_per_type_max + 10);
  Profile forwards;
  Profile backwards;
  keep_deed(EventType::share, 0, forwards);
  keep_deed(EventType::share, 0, backwards);
  for (TimeMs i = 0; i < count; ++i) {
    keep_deed(EventType::view, k_now_ms + i * k_minute_ms, forwards);
    keep_deed(EventType::view, k_now_ms + (count - 1 - i) * k_minute_ms, backwards);
  }
  EXPECT_EQ(forwards.deeds, backwards.deeds);
  EXPECT_EQ(forwards.deeds.size(), Profile::k_minutes_per_type_max + 1);
  EXPECT_EQ(forwards.deeds.front().minute, k_now_ms / k_minute_ms + 10);
}

TEST(ChannelsTest, AreCountedInWhateverOrderTheyComeAndStored) {
  std::vector<ChannelUse> uses;
  for (const char* name :
       {"web", "app", "store", "web", "app", "a", "b", "c", "d", "e", "f", "g"}) {
    uses.push_back({.name = name, .events = 1, .last_ms = k_now_ms + std::ssize(uses)});
  }
  uses.push_back({.name = "", .events = 5});
  uses.push_back({.name = std::string(ChannelUse::k_name_bytes_max + 1, 'a'), .events = 5});
  Profile forwards;
  Profile backwards;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    keep_channel(uses[i], forwards);
    keep_channel(uses[uses.size() - 1 - i], backwards);
  }
  EXPECT_EQ(forwards, backwards);
  EXPECT_EQ(forwards.channels.size(), Profile::k_channels_max);
  EXPECT_EQ(main_channel(forwards)->name, "app");
  EXPECT_EQ(decode_profile(encode(forwards))->channels, forwards.channels);
  EXPECT_EQ(main_channel(Profile()), nullptr);

  Profile merged;
  merge(forwards, merged);
  EXPECT_EQ(merged.channels, forwards.channels);
}

TEST(ChannelsTest, ARecordFromBeforeTheyWereKeptHasNone) {
  Profile before;
  see(k_now_ms, k_now_ms, 1, before);
  const std::string record = encode(before);
  ASSERT_TRUE(decode_profile(record).ok());
  EXPECT_TRUE(decode_profile(record)->channels.empty());
}

TEST(MoneyOfEventsTest, IsPriceTimesQuantityAndTakenOverWithItsOrder) {
  catalog::ProductNumbers numbers;
  ProfileBook book(numbers);
  Entries entries;
  const auto buy = [&](std::int64_t minor, std::string currency, std::int64_t quantity) {
    LogEntry entry = entries.event(1, EventType::purchase, "cup", k_now_ms, "o-1", "", quantity);
    auto& event = std::get<Event>(entry.what);
    event.price = Money{minor};
    event.currency = std::move(currency);
    return entry;
  };
  book.apply(buy(250, "EUR", 3));
  EXPECT_THAT(nets(orders_of(*book.find(UserNumber(1)))), testing::ElementsAre(750));

  book.apply(entries.takeover(1, "o-1"));
  EXPECT_THAT(orders_of(*book.find(UserNumber(1))), testing::IsEmpty());
  book.apply(buy(Paid::k_minor_max, "EUR", 1'000'000'000));
  EXPECT_THAT(nets(orders_of(*book.find(UserNumber(1)))), testing::ElementsAre(Paid::k_minor_max));
}

}  // namespace
}  // namespace vitrine::profiles
