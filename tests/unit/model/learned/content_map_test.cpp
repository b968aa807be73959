#include "model/content_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "model/blend_table.h"
#include "model/buy_again_table.h"
#include "model/popular_lists.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

Product teapot() {
  Product product;
  product.product_id = "teapot";
  product.title = "Red TEAPOT, 2-cup red";
  product.categories = {"Home > Kitchen", "Home > Gifts"};
  product.brand = "Acme";
  product.price = Money{1990};
  product.currency = "EUR";
  return product;
}

TEST(ContentFeaturesTest, NamesEveryAncestorBrandBandAndTermOnce) {
  const PriceBands bands = {{"EUR", {500, 1990, 5000}}};
  EXPECT_THAT(
      content_feature_names(teapot(), bands),
      ElementsAre("brand:acme", "category:Home", "category:Home > Gifts", "category:Home > Kitchen",
                  "price:EUR:2", "term:cup", "term:red", "term:teapot"));
}

TEST(ContentFeaturesTest, APriceInACurrencyWithoutBandsSaysNothing) {
  Product product = teapot();
  product.title.clear();
  product.categories.clear();
  product.brand.clear();
  EXPECT_THAT(content_feature_names(product, {{"USD", {1}}}), ElementsAre());
}

TEST(ContentFeaturesTest, TheTermsOfATitleShareALengthOfOne) {
  const ContentFeatures features =
      ContentFeatures::create({"term:red", "term:teapot", "brand:acme", "term:cup"}, {3, 4, 1, 9},
                              {})
          .value();
  Product product = teapot();
  product.title = "red teapot";
  std::array<float, 4> values{};
  for (const ContentValue& one : features.of(product)) values[one.feature] = one.value;
  EXPECT_THAT(values, ElementsAre(FloatEq(0.6F), FloatEq(0.8F), 1, 0));
}

TEST(ContentFeaturesTest, RefusesWhatCannotBe) {
  EXPECT_FALSE(ContentFeatures::create({"a", "a"}, {1, 1}, {}).ok());
  EXPECT_FALSE(ContentFeatures::create({"a"}, {1, 1}, {}).ok());
  EXPECT_FALSE(ContentFeatures::create({"a"}, {0}, {}).ok());
  EXPECT_FALSE(ContentFeatures::create({"a"}, {std::nanf("")}, {}).ok());
  EXPECT_FALSE(ContentFeatures::create({"a"}, {1}, {{"EUR", {5, 5}}}).ok());
}

TEST(ContentMapTest, AddsTheRowsOfKnownFeaturesToTheMean) {
  const ContentMap map =
      ContentMap::create(
          ContentFeatures::create({"brand:acme", "category:Home"}, {1, 0.5F}, {}).value(), {1, 1},
          {10, 0, 0, 100})
          .value();
  std::array<float, 2> vector{};
  ASSERT_TRUE(map.place(teapot(), vector));
  EXPECT_THAT(vector, ElementsAre(11, 51));
}

TEST(ContentMapTest, DoesNotPlaceAProductItKnowsNothingOf) {
  const ContentMap map =
      ContentMap::create(ContentFeatures::create({"brand:other"}, {1}, {}).value(), {1}, {1})
          .value();
  std::array<float, 1> vector = {-1};
  EXPECT_FALSE(map.place(teapot(), vector));
  EXPECT_EQ(vector[0], -1);
  EXPECT_FALSE(ContentMap().place(teapot(), vector));
}

TEST(ContentMapTest, RefusesSizesThatDoNotFitAndNumbersThatAreNone) {
  const auto features = [] { return ContentFeatures::create({"a"}, {1}, {}).value(); };
  EXPECT_FALSE(ContentMap::create(features(), {0, 0}, {1}).ok());
  EXPECT_FALSE(ContentMap::create(features(), {0}, {std::nanf("")}).ok());
  EXPECT_FALSE(ContentMap::create(features(), {INFINITY}, {1}).ok());
}

TEST(PopularListsTest, GivesAGroupItsProductsAndNothingToOthers) {
  const PopularLists lists = PopularLists::create({{"Home", {{2, 5}, {0, 5}}}}, 3).value();
  EXPECT_THAT(lists.of("Home"), ElementsAre(PopularProduct{2, 5}, PopularProduct{0, 5}));
  EXPECT_TRUE(lists.of("Hom").empty());
}

TEST(PopularListsTest, RefusesListsThatCannotBeTrue) {
  EXPECT_FALSE(PopularLists::create({{"Home", {{3, 5}}}}, 3).ok()) << "no such row";
  EXPECT_FALSE(PopularLists::create({{"Home", {{0, 1}, {1, 2}}}}, 3).ok()) << "rises";
  EXPECT_FALSE(PopularLists::create({{"Home", {{0, 0}}}}, 3).ok()) << "no weight";
}

TEST(BuyAgainTableTest, ACategoryTakesAfterItsNearestAncestor) {
  const BuyAgainTable table =
      BuyAgainTable::create({{}, {14, 5}}, {{"Food", {21, 40}}, {"Food > Milk", {7, 30}}}).value();
  EXPECT_FALSE(table.of_product(0));
  EXPECT_FALSE(table.of_product(2));
  EXPECT_EQ(table.of_product(1), (BuyAgain{14, 5}));
  EXPECT_EQ(table.of_category("Food > Milk > Oat")->days, 7);
  EXPECT_EQ(table.of_category("Food > Bread")->days, 21);
  EXPECT_FALSE(table.of_category("Foo"));
}

TEST(BuyAgainTableTest, TheShopIsTheAncestorOfAllCategories) {
  const BuyAgainTable table =
      BuyAgainTable::create({}, {{"", {30, 90}}, {"Food", {21, 40}}}, {{"", 0.1F}, {"Food", 0.4F}})
          .value();
  EXPECT_EQ(table.of_category("Food > Milk"), (BuyAgain{21, 40}));
  EXPECT_EQ(table.of_category("Toys"), (BuyAgain{30, 90}));
  EXPECT_EQ(table.repeat_share_of("Food > Milk"), 0.4F);
  EXPECT_EQ(table.repeat_share_of(""), 0.1F);
}

TEST(BuyAgainTableTest, RefusesSharesThatAreNone) {
  EXPECT_FALSE(BuyAgainTable::create({}, {}, {{"Food", 1.5F}}).ok());
  EXPECT_FALSE(BuyAgainTable::create({}, {}, {{"Food", std::nanf("")}}).ok());
}

TEST(BlendTableTest, RefusesWeightsThatAreNotFinite) {
  const auto refused = BlendTable::create(
      {{"home",
        {.bias = 0, .sources = {{"personal", std::nanf("")}}, .depths = {}, .features = {}}}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("personal"), std::string::npos);
}

TEST(BuyAgainTableTest, RefusesLengthsThatAreNone) {
  EXPECT_FALSE(BuyAgainTable::create({{-1, 1}}, {}).ok());
  EXPECT_FALSE(BuyAgainTable::create({{std::nanf(""), 1}}, {}).ok());
  EXPECT_FALSE(BuyAgainTable::create({}, {{"Food", {7, 0}}}).ok());
}

}  // namespace
}  // namespace vitrine
