#include "server/profiles/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

constexpr ProductNumber k_cup{1};
constexpr ProductNumber k_pot{2};

// How many of the product's purchases are left, with the events in both orders.
class PurchasesTest : public testing::Test {
 protected:
  using Step = std::function<void(Profile&)>;

  static Step bought(std::uint64_t order, std::uint64_t pieces, TimeMs time_ms = k_now_ms) {
    return [=](Profile& profile) { add_purchase(k_cup, order, pieces, time_ms, profile); };
  }
  static Step returned(std::uint64_t order, std::uint64_t pieces) {
    return [=](Profile& profile) { add_refund(k_cup, order, pieces, profile); };
  }
  static Step cancelled(std::uint64_t order) {
    return [=](Profile& profile) { cancel_order(order, profile); };
  }
  static std::uint32_t left(std::vector<Step> steps) {
    Profile forwards;
    Profile backwards;
    for (const Step& step : steps) step(forwards);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) (*step)(backwards);
    EXPECT_EQ(forwards, backwards);
    return forwards.bought.empty() ? 0 : forwards.bought[0].purchases - forwards.bought[0].refunds;
  }
};

TEST_F(PurchasesTest, APurchaseStaysUntilAllItsPiecesCameBack) {
  EXPECT_EQ(left({bought(7, 6)}), 1U);
  EXPECT_EQ(left({bought(7, 6), returned(7, 5)}), 1U);
  EXPECT_EQ(left({bought(7, 6), returned(7, 5), returned(7, 1)}), 0U);
  EXPECT_EQ(left({bought(7, 6), bought(8, 1), returned(7, 6)}), 1U);
  EXPECT_EQ(left({bought(7, 1), returned(7, 5)}), 0U);
}

TEST_F(PurchasesTest, ACancelledOrderTakesBackItsPurchases) {
  EXPECT_EQ(left({bought(7, 6), bought(8, 2), cancelled(7)}), 1U);
  EXPECT_EQ(left({bought(7, 6), cancelled(7), returned(7, 6)}), 0U);
  EXPECT_EQ(left({bought(7, 6), cancelled(9)}), 1U);

  Profile profile;
  add_purchase(k_cup, 7, 1, k_now_ms, profile);
  add_purchase(k_pot, 7, 1, k_now_ms, profile);
  cancel_line(k_pot, 7, profile);
  EXPECT_EQ(profile.bought[0].refunds, 0U);
  EXPECT_EQ(profile.bought[1].refunds, 1U);
}

TEST_F(PurchasesTest, WhatComesBackUnderAnotherOrderIsTakenOffTheLatestPurchases) {
  EXPECT_EQ(left({bought(7, 6), returned(99, 6)}), 0U);
  EXPECT_EQ(left({bought(7, 6), returned(99, 5)}), 1U);
  EXPECT_EQ(left({bought(7, 2, k_now_ms), bought(8, 6, k_now_ms + 1), returned(0, 6)}), 1U);
  EXPECT_EQ(left({bought(7, 2, k_now_ms), bought(8, 6, k_now_ms + 1), returned(99, 8)}), 0U);
  EXPECT_EQ(left({returned(99, 8)}), 0U);
}

TEST_F(PurchasesTest, PurchasesWithoutAnOrderAreTakenBackByTheirPieces) {
  EXPECT_EQ(left({bought(0, 1), bought(0, 1), returned(0, 1)}), 1U);
  EXPECT_EQ(left({bought(0, 1), bought(0, 1), returned(0, 2)}), 0U);
  EXPECT_EQ(left({bought(0, 1), bought(7, 1), returned(0, 2)}), 0U);
}

TEST_F(PurchasesTest, OrdersAreCountedOnceAndFadeWithTime) {
  Profile profile;
  bought(7, 1, k_now_ms)(profile);
  bought(7, 2, k_now_ms)(profile);  // a second line of the same order
  bought(8, 1, k_now_ms + 60 * k_day_ms)(profile);
  bought(9, 1, k_now_ms + 30 * k_day_ms)(profile);
  cancelled(9)(profile);

  ASSERT_EQ(profile.bought.size(), 1U);
  const Bought& cup = profile.bought[0];
  EXPECT_EQ(cup.purchases, 4U);
  EXPECT_EQ(cup.orders, 2U) << "the cancelled one is none";
  EXPECT_FLOAT_EQ(cup.recent, 1.5F) << "as of the latest, 60 days after the first";
  EXPECT_FLOAT_EQ(cup.lately, 1 + std::exp2(-60.0F / 14));
}

TEST_F(PurchasesTest, EveryPurchaseWithoutAnOrderIsOne) {
  Profile profile;
  for (int i = 0; i < 3; ++i) bought(0, 1)(profile);
  EXPECT_EQ(profile.bought[0].orders, 3U);
  returned(0, 1)(profile);
  EXPECT_EQ(profile.bought[0].orders, 2U);
}

Profile random_profile(Random& random) {
  Profile profile;
  for (std::uint64_t left = random.below(130); left > 0; --left) {
    const TimeMs time_ms =
        k_now_ms - static_cast<TimeMs>(random.below(std::uint64_t{90} * k_day_ms));
    const ProductNumber product(static_cast<std::uint32_t>(random.below(200'000)));
    const std::uint64_t order = random.below(4) == 0 ? 0 : random.below(9);
    see(time_ms, time_ms, 1, profile);
    keep_recent({.time_ms = time_ms,
                 .event_key = random.next(),
                 .session_key = random.below(3),
                 .product = product,
                 .type = EventType::click},
                profile);
    if (random.below(4) == 0) keep_seen({.time_ms = time_ms, .product = product}, profile);
    if (random.below(3) == 0) add_purchase(product, order, 1 + random.below(9), time_ms, profile);
    if (random.below(5) == 0) add_refund(product, order, random.below(9), profile);
    if (random.below(50) == 0) cancel_order(order, profile);
  }
  return profile;
}

TEST(ProfileRecordTest, ComesBackAsItWasInAFractionOfTheBytes) {
  Random random(5);
  std::size_t in_memory = 0;
  std::size_t stored = 0;
  for (int i = 0; i < 500; ++i) {
    const Profile profile = random_profile(random);
    const std::string record = encode(profile);

    const auto back = decode_profile(record);

    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(*back, profile);
    in_memory += bytes_of(profile);
    stored += record.size();
  }
  EXPECT_LT(stored * 2, in_memory);
}

TEST(ProfileRecordTest, WhatIsCutOrTooLongIsDataLoss) {
  Random random(6);
  const std::string record = encode(random_profile(random));
  ASSERT_GT(record.size(), 100U);

  for (std::size_t bytes = 0; bytes < record.size(); ++bytes) {
    EXPECT_EQ(decode_profile(record.substr(0, bytes)).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(decode_profile(record + "x").status().code(), absl::StatusCode::kDataLoss);
}

TEST(ProfileRecordTest, TimesHoweverFarApartComeBack) {
  Profile profile;
  profile.first_seen_ms = std::numeric_limits<TimeMs>::min();
  profile.last_seen_ms = std::numeric_limits<TimeMs>::max();
  profile.seen.resize(2);
  profile.seen[1].time_ms = profile.first_seen_ms;
  profile.seen[0].time_ms = profile.last_seen_ms;

  const auto back = decode_profile(encode(profile));

  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, profile);
}

TEST(ProfileRecordTest, NoBytesMakeItFailOtherwise) {
  Random random(7);
  const std::string record = encode(random_profile(random));
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = record;
    for (int bytes = 0; bytes < 3; ++bytes) {
      broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    }
    const auto read = decode_profile(broken);
    EXPECT_TRUE(read.ok() || absl::IsDataLoss(read.status()));
  }
}

Trait trait(std::string name, std::string value, TimeMs time_ms, std::uint64_t event_key = 0) {
  return {.name = std::move(name),
          .value = std::move(value),
          .time_ms = time_ms,
          .event_key = event_key};
}

// Both orders of arrival, and the way through the stored form.
std::vector<Trait> kept(std::vector<Trait> said) {
  Profile forwards;
  Profile backwards;
  for (const Trait& each : said) keep_trait(each, forwards);
  for (auto each = said.rbegin(); each != said.rend(); ++each) keep_trait(*each, backwards);
  EXPECT_EQ(forwards, backwards);
  const auto again = decode_profile(encode(forwards));
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, forwards);
  return forwards.traits;
}

TEST(TraitsTest, TheLatestWordOnANameStays) {
  EXPECT_THAT(kept({trait("plan", R"("gold")", 2), trait("plan", R"("tin")", 1)}),
              testing::ElementsAre(trait("plan", R"("gold")", 2)));
  EXPECT_THAT(kept({trait("plan", "1", 5, 8), trait("plan", "2", 5, 9)}),
              testing::ElementsAre(trait("plan", "2", 5, 9)));
  EXPECT_THAT(kept({trait("plan", "1", 5), trait("plan", "null", 6), trait("plan", "2", 4)}),
              testing::ElementsAre(trait("plan", "null", 6)))
      << "what was taken back does not return with a late event";
}

TEST(TraitsTest, OfTooManyThoseNamedLongestAgoGo) {
  std::vector<Trait> said;
  for (std::size_t i = 0; i < 2 * Profile::k_traits_max; ++i) {
    said.push_back(trait("t" + std::to_string(i), "1", static_cast<TimeMs>((i * 37) % 128)));
  }
  const std::vector<Trait> traits = kept(said);
  ASSERT_EQ(traits.size(), Profile::k_traits_max);
  for (const Trait& each : traits) EXPECT_GE(each.time_ms, 64) << each.name;
}

TEST(TraitsTest, WhatWasRemovedNeverComesBack) {
  EXPECT_THAT(kept({trait("plan", "1", 5), trait("plan", "", 2), trait("plan", "2", 9)}),
              testing::ElementsAre(trait("plan", "", 2)));
  std::vector<Trait> said{trait("plan", "", 1)};
  for (std::size_t i = 0; i < 2 * Profile::k_traits_max; ++i) {
    said.push_back(trait("t" + std::to_string(i), "1", 100));
  }
  EXPECT_THAT(kept(said), testing::Contains(trait("plan", "", 1)));
}

TEST(TraitsTest, LongNamesAndValuesAreNotKept) {
  EXPECT_EQ(kept({trait(std::string(Trait::k_name_bytes_max, 'n'), "1", 1),
                  trait("v", std::string(Trait::k_value_bytes_max, '1'), 1)})
                .size(),
            2U);
  EXPECT_TRUE(
      kept({trait(std::string(Trait::k_name_bytes_max + 1, 'n'), "1", 1),
            trait("v", std::string(Trait::k_value_bytes_max + 1, '1'), 1), trait("", "1", 1)})
          .empty());
}

TEST(TraitsTest, AVisitorsTraitsBecomeTheUsers) {
  Profile visitor;
  keep_trait(trait("plan", R"("gold")", 5), visitor);
  keep_trait(trait("city", R"("Ulm")", 1), visitor);
  Profile user;
  keep_trait(trait("plan", R"("tin")", 4), user);
  keep_trait(trait("city", R"("Bonn")", 2), user);
  merge(visitor, user);
  EXPECT_THAT(user.traits,
              testing::ElementsAre(trait("city", R"("Bonn")", 2), trait("plan", R"("gold")", 5)));
}

}  // namespace
}  // namespace vitrine::profiles
