// What was bought comes back when it is due.
#include <gmock/gmock.h>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::Not;

constexpr std::uint32_t k_rows = 4 * k_shelf_products;

// "Kitchen-0" is bought again every 100 days; of the kitchen's others nothing is known but that the
// category takes 200 days; toys are not bought twice.
BuyAgainTable habits() {
  std::vector<BuyAgain> by_row(k_rows);
  by_row[0] = {100, 9};
  return BuyAgainTable::create(std::move(by_row), {{"Kitchen", {200, 50}}, {"Toys", {40, 30}}},
                               {{"Kitchen", 0.3F}, {"Toys", 0.04F}})
      .value();
}

class BuyAgainTest : public Shop {
 protected:
  void open_with(BuyAgainTable table) {
    stock(shelf_products());
    model_.use(shelf_model(std::move(table)), *catalog_);
  }
  void buys(const std::string& product, TimeMs days_ago, const std::string& order = "o1") {
    happen({{.user_id = "ann",
             .type = EventType::purchase,
             .product_id = product,
             .age_ms = days_ago * k_day_ms,
             .order_id = order}});
  }
  RecommendAnswer home(std::size_t limit = 48) { return ask({.user_id = "ann", .limit = limit}); }
};

TEST_F(BuyAgainTest, AProductReturnsByItsOwnInterval) {
  open_with(habits());
  buys("Kitchen-0", 0);
  EXPECT_THAT(ids(home()), Not(Contains("Kitchen-0")));
  EXPECT_EQ(removed(home(), "purchased"), 1U);

  clock_.advance(1 * k_day_ms);

  EXPECT_THAT(ids(home()), Contains("Kitchen-0")) << "a day is 1 % of 100";
}

TEST_F(BuyAgainTest, AProductWithoutAnIntervalTakesItsCategorys) {
  open_with(habits());
  buys("Kitchen-3", 1);
  EXPECT_THAT(ids(home()), Not(Contains("Kitchen-3")));

  clock_.advance(1 * k_day_ms);

  EXPECT_THAT(ids(home()), Contains("Kitchen-3"));
}

TEST_F(BuyAgainTest, WhatIsNotBoughtTwiceStaysAwayFor180Days) {
  open_with(habits());
  buys("Toys-3", 179);
  EXPECT_THAT(ids(home()), Not(Contains("Toys-3")));

  clock_.advance(1 * k_day_ms);

  EXPECT_THAT(ids(home()), Contains("Toys-3"));
}

TEST_F(BuyAgainTest, AModelThatKnowsNothingHidesFor180Days) {
  open_with({});
  buys("Kitchen-0", 100);
  EXPECT_THAT(ids(home()), Not(Contains("Kitchen-0")));
}

// Of an answer of ten, nine may be what was bought before, by what ships.
TEST_F(BuyAgainTest, SomePlacesAreForWhatWasNotBoughtBefore) {
  open_with(habits());
  for (std::uint32_t i = 0; i < k_shelf_products; ++i) buys(product_id("Kitchen", i), 30);
  const auto repeats = [&](std::size_t limit) {
    std::size_t count = 0;
    for (const std::string& id : ids(home(limit))) count += shelf_of(id) == "Kitchen" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(ids(home(10)).size(), 10U);
  EXPECT_EQ(repeats(10), 9U);

  Placement half = *PlacementBook::shipped().find("home");
  half.variety.repeats_max_share = 0.5F;
  recommender_->use(PlacementBook::shipped().with(half));
  EXPECT_EQ(repeats(10), 5U);
  EXPECT_EQ(repeats(1), 1U);
  EXPECT_GT(removed(home(10), "repeat_cap"), 0U);
}

TEST_F(BuyAgainTest, WhatWasBoughtFillsAnAnswerThatWouldStayShort) {
  open_with(habits());
  for (std::uint32_t i = 0; i < k_shelf_products; ++i) buys(product_id("Kitchen", i), 30);
  ProductCondition only_kitchen;
  only_kitchen.categories = {"Kitchen"};

  const RecommendAnswer answer =
      ask({.user_id = "ann", .filter = only_kitchen, .limit = 10, .explore = false});

  EXPECT_EQ(answer.products.size(), 10U);
}

TEST_F(BuyAgainTest, WhatWasGivenBackIsNotOfferedAgainAsBought) {
  open_with(habits());
  buys("Kitchen-0", 30);
  happen({{.user_id = "ann",
           .type = EventType::refund,
           .product_id = "Kitchen-0",
           .age_ms = 29 * k_day_ms}});
  for (const RecommendedProduct& product : home().products)
    EXPECT_NE(product.source, "buy_again") << product.product_id;
}

TEST_F(BuyAgainTest, SaysWhyAndComesFromWhatIsBoughtMostOften) {
  open_with(habits());
  buys("Kitchen-4", 100);
  buys("Kitchen-0", 60, "o2");
  buys("Kitchen-0", 40, "o3");
  std::vector<std::string> bought;
  std::string text;
  for (const RecommendedProduct& product : home().products) {
    if (product.source != "buy_again") continue;
    bought.push_back(product.product_id);
    if (product.product_id == "Kitchen-0") text = product.reason.text;
    EXPECT_EQ(product.reason.kind, "buy_again");
  }
  ASSERT_FALSE(bought.empty());
  EXPECT_EQ(bought.front(), "Kitchen-0");
  EXPECT_EQ(text, "You bought this before; it is usually bought again after 100 days");
}

TEST_F(BuyAgainTest, ShowsNobodyWhatAnotherBought) {
  open_with(habits());
  buys("Kitchen-0", 60);
  for (const RecommendedProduct& product : ask({.user_id = "bob", .limit = 48}).products)
    EXPECT_NE(product.source, "buy_again");
  for (const RecommendedProduct& product :
       ask({.user_id = "ann", .limit = 48, .personalize = false}).products) {
    EXPECT_NE(product.source, "buy_again");
  }
}

}  // namespace
}  // namespace vitrine::recommend
