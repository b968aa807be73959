#include "server/recommend/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/recommend/pool.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

TEST(PlacementTest, ShipsHomeProductPageAndCart) {
  const PlacementBook book = PlacementBook::shipped();

  EXPECT_NE(book.find("home"), nullptr);
  EXPECT_TRUE(book.find("product_page")->needs_product);
  EXPECT_TRUE(book.find("cart")->needs_cart);
  EXPECT_EQ(book.find("moon"), nullptr);
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
