#include "server/recommend/interest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitrine::recommend {
namespace {

constexpr TimeMs k_now_ms = 1'790'000'000'000;

class InterestTest : public ::testing::Test {
 protected:
  void did(EventType type, std::uint32_t product, TimeMs age_ms, std::uint64_t session_key = 0) {
    profile_.recent.push_back({.time_ms = k_now_ms - age_ms,
                               .event_key = 0,
                               .session_key = session_key,
                               .product = ProductNumber(product),
                               .type = type});
  }
  void has_bought(std::uint32_t product, std::uint32_t purchases, std::uint32_t refunds) {
    profile_.bought.push_back({.product = ProductNumber(product),
                               .purchases = purchases,
                               .refunds = refunds,
                               .last_ms = k_now_ms});
  }
  std::vector<Interest> interests(std::uint64_t session_key = 0) {
    std::vector<Interest> out;
    collect_interests(profile_, rule_, session_key, k_now_ms, out);
    return out;
  }

  profiles::Profile profile_;  // newest first, as did() is called
  ConfidenceRule rule_ = ConfidenceRule::defaults();
};

TEST_F(InterestTest, GathersAllEventsOfAProductUnderTheStrongest) {
  did(EventType::view, 1, 0);
  did(EventType::view, 2, 0);
  did(EventType::cart_add, 1, 0);

  const auto found = interests();

  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].product, ProductNumber(1));
  EXPECT_EQ(found[0].type, EventType::cart_add);
  EXPECT_FLOAT_EQ(found[0].confidence, rule_.confidence(rule_.weight(EventType::view) +
                                                        rule_.weight(EventType::cart_add)));
  EXPECT_EQ(found[1].type, EventType::view);
}

TEST_F(InterestTest, CountsAgesBackFromTheNewestEvent) {
  const TimeMs year_ms = 365 * k_day_ms;
  const auto half_life_ms = static_cast<TimeMs>(rule_.half_life_days * k_day_ms);
  did(EventType::view, 1, year_ms);
  did(EventType::view, 2, year_ms + half_life_ms);

  const auto found = interests();

  EXPECT_FLOAT_EQ(found[0].confidence, rule_.confidence(rule_.weight(EventType::view)));
  EXPECT_NEAR(found[1].confidence, found[0].confidence / 2, 1e-5);
}

TEST_F(InterestTest, TakesNoPurchaseThatWasGivenBack) {
  did(EventType::purchase, 1, 0);
  did(EventType::purchase, 2, 0);
  has_bought(1, 1, 1);
  has_bought(2, 2, 1);

  const auto found = interests();

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].product, ProductNumber(2));
  EXPECT_TRUE(found[0].is_bought);
}

TEST_F(InterestTest, CountsALookEvenWhenTheModelLearntFromPurchasesOnly) {
  rule_.weights = {};
  rule_.weights[static_cast<std::size_t>(EventType::purchase)] = 1;
  did(EventType::view, 1, 0);

  const auto found = interests();

  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].confidence, rule_.confidence(default_weight(EventType::view) /
                                                        default_weight(EventType::purchase)));
}

TEST_F(InterestTest, LooksAtTheLatestFiftyEventsThatSaySomething) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    did(i % 2 == 0 ? EventType::cart_remove : EventType::view, i, i);
  }

  EXPECT_EQ(interests().size(), k_interest_events_max);
  EXPECT_EQ(interests().back().product, ProductNumber(99));
}

TEST_F(InterestTest, KnowsASessionByItsKeyHoweverLongItTook) {
  did(EventType::view, 1, 0, 5);
  did(EventType::view, 2, k_minute_ms, 6);
  did(EventType::view, 3, 5 * k_hour_ms, 5);

  const auto found = interests(5);

  EXPECT_GT(found[0].session_confidence, found[2].session_confidence);
  EXPECT_GT(found[2].session_confidence, 0);
  EXPECT_EQ(found[1].session_confidence, 0);
}

TEST_F(InterestTest, TakesTheLastHalfHourForTheSessionOfAnUnknownKey) {
  did(EventType::view, 1, k_minute_ms, 5);
  did(EventType::view, 2, 20 * k_minute_ms, 5);
  did(EventType::view, 3, 2 * k_hour_ms, 5);

  for (const std::uint64_t session_key : {0U, 77U}) {
    const auto found = interests(session_key);
    EXPECT_GT(found[0].session_confidence, 0);
    EXPECT_GT(found[1].session_confidence, 0);
    EXPECT_EQ(found[2].session_confidence, 0);
  }
}

TEST_F(InterestTest, HasNoSessionOnceItIsOver) {
  did(EventType::view, 1, 31 * k_minute_ms, 5);

  EXPECT_EQ(interests()[0].session_confidence, 0);
  EXPECT_GT(interests()[0].confidence, 0);
  EXPECT_GT(interests(5)[0].session_confidence, 0);
}

}  // namespace
}  // namespace vitrine::recommend
