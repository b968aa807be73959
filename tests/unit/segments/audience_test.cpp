// Conditions on a person, their session, their cart and where they are, asked together.
#include "server/segments/audience.h"

#include <gmock/gmock.h>

#include "base/status.h"
#include "server/expressions/program.h"
#include "server/segments/person.h"
#include "server/segments/situation.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::segments {
namespace {

using profiles::k_now_ms;

Product product(std::string id, std::string category, std::string brand, std::int64_t cents) {
  Product made;
  made.product_id = std::move(id);
  made.categories = {std::move(category)};
  made.brand = std::move(brand);
  made.price = Money{cents};
  made.currency = "EUR";
  return made;
}

class AudienceTest : public testing::Test {
 protected:
  AudienceTest() {
    situation_.session = {{"boot", &boot_}, {"bag", &bag_}, {"boot", &boot_}};
    situation_.cart = {{.product_id = "boot", .product = &boot_, .quantity = 2},
                       {.product_id = "gone", .product = nullptr, .quantity = 1}};
    situation_.placement = "cart";
    situation_.channel = "app";
    situation_.country = "AT";
    situation_.query = "red boots";
    situation_.now_ms = *parse_time("2026-11-22T23:30:00Z");  // a Sunday
  }
  bool holds(std::string_view text) {
    const auto audience = Audience::parse(text);
    EXPECT_TRUE(audience.ok()) << text << ": " << audience.status();
    const Surroundings around;
    const profiles::Profile nobody;
    const PersonSubject person(user_, user_ == k_nobody, nobody, situation_.now_ms, around);
    return audience.ok() && audience->holds(person, SituationSubject(situation_));
  }

  const Product boot_ = product("boot", "Shoes > Boots", "alpha", 4995);
  const Product bag_ = product("bag", "Bags", "beta", 2000);
  UserNumber user_ = k_nobody;
  Situation situation_;
};

TEST_F(AudienceTest, TheCartIsAskedForWhatItHoldsAndComesTo) {
  EXPECT_TRUE(holds("cart.subtotal == 99.9 && cart.currency == \"EUR\" && cart.quantity == 3"));
  EXPECT_TRUE(holds("\"Shoes\" in cart.categories && \"gone\" in cart.products"));
  EXPECT_FALSE(holds("\"Bags\" in cart.categories || \"beta\" in cart.brands"));
  situation_.cart[0].price = Money{1000};
  situation_.cart[0].currency = "EUR";
  EXPECT_TRUE(holds("cart.subtotal == 20")) << "what the cart says goes before the catalog";
  situation_.cart.erase(situation_.cart.begin());
  EXPECT_FALSE(holds("cart.subtotal >= 0 || has(cart.currency)")) << "no price is known";
  situation_.cart.clear();
  EXPECT_TRUE(holds("cart.subtotal == 0 && cart.quantity == 0"));
}

TEST_F(AudienceTest, AmountsOfSeveralCurrenciesAreNotAdded) {
  situation_.cart.push_back({.product_id = "bag",
                             .product = &bag_,
                             .quantity = 1,
                             .price = Money{700},
                             .currency = "USD"});
  EXPECT_TRUE(holds("cart.subtotal == 99.9 && cart.currency == \"EUR\""));
}

TEST_F(AudienceTest, TheSessionIsAskedForWhatWasLookedAt) {
  EXPECT_TRUE(holds("session.views == 3 && size(session.products) == 2"));
  EXPECT_TRUE(holds("sets.contains(session.brands, [\"alpha\", \"beta\"])"));
  EXPECT_TRUE(holds("\"Shoes > Boots\" in session.categories"));
}

TEST_F(AudienceTest, TheMomentIsTheOneOnTheWall) {
  EXPECT_TRUE(holds("context.hour == 23 && context.weekday == 7"));
  situation_.utc_offset_minutes = 60;
  EXPECT_TRUE(holds("context.hour == 0 && context.weekday == 1"));
  situation_.utc_offset_minutes = -90;
  EXPECT_TRUE(holds("context.hour == 22 && context.weekday == 7"));
}

TEST_F(AudienceTest, WhatWasNotSaidHasNoValue) {
  EXPECT_TRUE(holds("context.channel == \"app\" && context.query.contains(\"boots\")"));
  EXPECT_TRUE(holds("context.placement == \"cart\" && context.country in [\"DE\", \"AT\"]"));
  EXPECT_FALSE(holds("context.device != \"phone\" || has(context.market)"));
}

TEST_F(AudienceTest, SomebodyUnknownIsNewAndInNoShareOfChance) {
  EXPECT_TRUE(holds("user.orders_count == 0 && !user.is_known && user.stage == \"prospect\""));
  EXPECT_FALSE(holds("bucket(\"spring\", 0, 1) || in_segment(\"vip\")"));
  user_ = UserNumber(7);
  EXPECT_TRUE(holds("bucket(\"spring\", 0, 1) && user.is_known"));
}

TEST_F(AudienceTest, MovesOnWithTheHourAndTheDay) {
  const auto at = [&](std::string_view name) {
    const TimeMs changes_ms =
        SituationSubject(situation_).changes_at_ms(*situation_schema().find(name));
    return (changes_ms - situation_.now_ms) / k_minute_ms;
  };
  EXPECT_EQ(at("context.hour"), 30);
  situation_.utc_offset_minutes = -90;
  EXPECT_EQ(at("context.hour"), 60);
  EXPECT_EQ(at("context.weekday"), 120);
}

TEST(AudienceSchemaTest, NamesWhatIsNear) {
  const auto message = [](std::string_view text) {
    return std::string(message_of(Audience::parse(text).status()));
  };
  EXPECT_EQ(message("cart.subtotl > 5"),
            "column 1: unknown name 'cart.subtotl'; did you mean 'cart.subtotal'?");
  EXPECT_THAT(message("context.xyzxyzxyzxyz == \"rain\""),
              testing::HasSubstr("an audience has context.placement"));
  EXPECT_THAT(message("price < 5"), testing::StartsWith("column 1: unknown name 'price'"));
  EXPECT_TRUE(Audience().is_empty());
  EXPECT_THAT(Audience::parse("in_segment(\"b\") || in_segment(\"a\")")->segments(),
              testing::ElementsAre("a", "b"));
}

TEST(AudienceSchemaTest, EveryMalformedAudienceGetsAColumn) {
  for (const std::string_view text : {"",
                                      "cart",
                                      "cart.",
                                      "cart.subtotal",
                                      "cart.subtotal >",
                                      "cart.subtotal > \"50\"",
                                      "cart.products == \"boot\"",
                                      "\"Shoes\" in cart.subtotal",
                                      "context.hour in [\"18\"]",
                                      "context.channel = \"app\"",
                                      "context.channel == app",
                                      "session.views > session.products",
                                      "session.categories[\"Shoes\"]",
                                      "size(cart.subtotal) > 1",
                                      "!cart.quantity",
                                      "days_since(context.hour) > 1",
                                      "double(cart.subtotal) > 1",
                                      "context.weekday == true",
                                      "in_segment(cart.products)",
                                      "count(\"cart.add\", \"1d\") > 0",
                                      "user.cart.subtotal > 1",
                                      "sets.intersects(context.channel, [\"app\"])",
                                      "title == \"boot\""}) {
    const auto audience = Audience::parse(text);
    ASSERT_FALSE(audience.ok()) << text;
    EXPECT_THAT(std::string(message_of(audience.status())),
                testing::MatchesRegex("column [0-9]+: .+"))
        << text;
  }
}

}  // namespace
}  // namespace vitrine::segments
