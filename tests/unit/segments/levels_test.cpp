#include "server/segments/levels.h"

#include <gmock/gmock.h>

#include "base/status.h"

namespace vitrine::segments {
namespace {

using profiles::OrderSum;

constexpr std::uint32_t k_eur = 7;  // any code
constexpr TimeMs k_now_ms = 2000 * k_day_ms;

OrderSum order(TimeMs days_ago, std::int64_t euros, std::uint32_t currency = k_eur) {
  return {.time_ms = k_now_ms - days_ago * k_day_ms,
          .order_key = 1,
          .count = 1,
          .net = {.minor = euros * 100, .currency = currency}};
}

Level level(const std::vector<OrderSum>& orders, TimeMs days_from_now = 0) {
  static const LevelRules rules{.levels = {{"silver", 200}, {"gold", 1000}}, .grace_days = 30};
  return level_of(orders, k_eur, 100, rules, k_now_ms + days_from_now * k_day_ms);
}

TEST(LevelsTest, TheHighestThatTheSpendOfTwelveMonthsReached) {
  EXPECT_EQ(level({}).name, "");
  EXPECT_EQ(level({order(10, 199)}).name, "");
  EXPECT_EQ(level({order(10, 200)}).name, "silver");
  EXPECT_EQ(level({order(300, 600), order(10, 400)}).name, "gold");
  EXPECT_EQ(level({order(300, 600), order(10, 400, 9)}).name, "silver") << "another currency";
}

TEST(LevelsTest, IsKeptForTheDaysOfGraceAndNoLonger) {
  const std::vector<OrderSum> orders = {order(300, 600), order(10, 400)};
  EXPECT_EQ(level(orders, 64).name, "gold") << "the older order is still in";
  EXPECT_EQ(level(orders, 65 + 29).name, "gold") << "it left, the grace lasts";
  EXPECT_EQ(level(orders, 65 + 30).name, "silver");
  EXPECT_EQ(level(orders, 355 + 30).name, "");
}

TEST(LevelsTest, SaysWhenItCanFall) {
  const std::vector<OrderSum> orders = {order(300, 600), order(10, 400)};
  EXPECT_EQ(level(orders).changes_at_ms, k_now_ms + (65 + 30) * k_day_ms);
  EXPECT_EQ(level(orders, 65 + 30).changes_at_ms, k_now_ms + (355 + 30) * k_day_ms);
}

// What changes_at_ms promises: nothing happens before.
TEST(LevelsTest, NeverFallsBeforeItSaid) {
  std::vector<OrderSum> orders;
  for (const TimeMs days_ago : {390, 340, 200, 199, 60, 5}) orders.push_back(order(days_ago, 250));
  for (TimeMs day = 0; day < 500; ++day) {
    const Level now = level(orders, day);
    const Level next = level(orders, day + 1);
    const bool is_due = now.changes_at_ms <= k_now_ms + (day + 1) * k_day_ms;
    EXPECT_TRUE(now.name == next.name || is_due) << day;
  }
}

TEST(LevelsTest, AreReadFromTheSetting) {
  EXPECT_THAT(
      *parse_levels("silver:200,gold:1000.5"),
      testing::ElementsAre(LevelRules::Level{"silver", 200}, LevelRules::Level{"gold", 1000.5}));
  EXPECT_THAT(*parse_levels(""), testing::IsEmpty());
  const auto message = [](std::string_view text) {
    return std::string(message_of(parse_levels(text).status()));
  };
  EXPECT_THAT(message("silver"), testing::HasSubstr("as in silver:200, got 'silver'"));
  EXPECT_THAT(message("silver:0"), testing::HasSubstr("above 0"));
  EXPECT_THAT(message("silver:nan"), testing::HasSubstr("got 'silver:nan'"));
  EXPECT_EQ(message("a:20,b:20"), "levels must ascend: b begins at 20, a before it at 20");
  EXPECT_THAT(message("a:1,b:2,c:3,d:4,e:5,f:6,g:7,h:8,i:9,j:10,k:11"),
              testing::HasSubstr("at most 10 levels, got 11"));
}

}  // namespace
}  // namespace vitrine::segments
