#include "server/recommend/placement_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/recommend/pool.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

TEST(PlacementTest, ShipsAPlacementForEveryPlaceOfAShop) {
  const PlacementBook book = PlacementBook::shipped();

  EXPECT_NE(book.find("home"), nullptr);
  EXPECT_TRUE(book.find("product_page")->needs_product);
  EXPECT_TRUE(book.find("cart")->needs_cart);
  for (const std::string_view name : {"category_page", "search", "order_done", "email"}) {
    EXPECT_NE(book.find(name), nullptr) << name;
  }
  for (const Placement& placement : book.all()) {
    EXPECT_TRUE(validate(placement).ok()) << placement.name << ": " << validate(placement);
  }
  EXPECT_EQ(book.find("moon"), nullptr);
}

TEST(PlacementTest, AChangedShippedPlacementGoesBackToHowItShips) {
  const PlacementBook shipped = PlacementBook::shipped();
  Placement home = *shipped.find("home");
  home.sources = {{"popular", 1}};
  home.version = 2;
  Placement own = home;
  own.name = "footer";

  const PlacementBook changed = shipped.with(home).with(own);
  EXPECT_EQ(changed.all().size(), shipped.all().size() + 1);
  EXPECT_EQ(changed.find("home")->sources.size(), 1U);

  const PlacementBook back = changed.without("home").without("footer");
  EXPECT_EQ(back.all().size(), shipped.all().size());
  EXPECT_EQ(back.find("home")->sources.size(), shipped.find("home")->sources.size());
  EXPECT_EQ(back.find("home")->version, 1U);
  EXPECT_EQ(back.find("footer"), nullptr);
}

// Each names the field it is about first.
TEST(PlacementTest, RefusesAPlacementThatCannotBeServed) {
  const auto refusal = [](const auto& spoil) {
    Placement placement = *PlacementBook::shipped().find("home");
    spoil(placement);
    return std::string(validate(placement).message());
  };
  using testing::HasSubstr;
  EXPECT_THAT(refusal([](Placement& p) { p.name = "Home page"; }), HasSubstr("placement must"));
  EXPECT_THAT(refusal([](Placement& p) { p.name = std::string(65, 'x'); }),
              HasSubstr("placement must"));
  EXPECT_THAT(refusal([](Placement& p) { p.sources.clear(); }), HasSubstr("sources must"));
  EXPECT_THAT(refusal([](Placement& p) { p.sources = {{"astrology", 1}}; }),
              HasSubstr("'astrology'"));
  EXPECT_THAT(refusal([](Placement& p) { p.sources = {{"popular", 1}, {"popular", 2}}; }),
              HasSubstr("popular twice"));
  EXPECT_THAT(refusal([](Placement& p) { p.sources = {{"popular", 0}}; }), HasSubstr("got 0"));
  EXPECT_THAT(refusal([](Placement& p) { p.sources = {{"popular", 1001}}; }),
              HasSubstr("at most 1000"));
  EXPECT_THAT(refusal([](Placement& p) { p.fallback = {"astrology"}; }), HasSubstr("fallback"));
  EXPECT_THAT(refusal([](Placement& p) { p.rules.resize(k_rules_max + 1); }),
              HasSubstr("at most 50"));
  EXPECT_THAT(refusal([](Placement& p) { p.rules.resize(1); }), HasSubstr("rules[0].id"));
}

TEST(PlacementTest, NamesOnlySourcesThereAreAndFillsFromWhatNeedsNoPerson) {
  const PlacementBook book = PlacementBook::shipped();
  for (const Placement& placement : book.all()) {
    EXPECT_LE(placement.sources.size(), Pool::k_sources_max);
    for (const SourceWeight& weighted : placement.sources) {
      EXPECT_NE(find_source(weighted.source), nullptr) << weighted.source;
      EXPECT_GT(weighted.weight, 0) << placement.name;
    }
    for (const std::string& name : placement.fallback) {
      EXPECT_NE(find_source(name), nullptr) << name;
    }
    EXPECT_THAT(placement.fallback, testing::IsSupersetOf({"popular", "new"}));
  }
}

TEST(SourcesTest, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const CandidateSource* const source : all_sources()) {
    EXPECT_TRUE(names.insert(source->name()).second) << source->name();
    EXPECT_EQ(find_source(source->name()), source);
  }
}

}  // namespace
}  // namespace vitrine::recommend
