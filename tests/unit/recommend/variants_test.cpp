// Of a product with variants the one is shown that can be had.
#include <gmock/gmock.h>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

// "Garden-5" is red or blue; the model knows the red one alone.
class VariantsTest : public Shop {
 protected:
  VariantsTest() {
    open_shelves();
    stock({red(), blue()});
    visitor_views("v1", "Garden-4");
  }

  static Product variant(std::string id) {
    Product product = make_product(std::move(id), "Garden > Small");
    product.group_id = "fern";
    return product;
  }
  static Product red() { return variant("Garden-5"); }
  static Product blue() { return variant("Garden-5-blue"); }
  void sell_out(Product product) {
    product.in_stock = false;
    stock({std::move(product)});
  }

  static RecommendRequest beside(std::string product, std::size_t limit = 6) {
    return {.placement = "product_page",
            .product_id = std::move(product),
            .limit = limit,
            .explain = true};
  }
  // Null when it is not shown.
  static const RecommendedProduct* find(const RecommendAnswer& answer, std::string_view id) {
    const auto found = std::ranges::find(answer.products, id, &RecommendedProduct::product_id);
    return found == answer.products.end() ? nullptr : &*found;
  }
};

TEST_F(VariantsTest, TheOneInStockTakesThePlaceOfTheOneSoldOut) {
  const auto before = ids(ask(beside("Garden-4")));
  ASSERT_THAT(before, Contains("Garden-5"));
  ASSERT_THAT(before, Not(Contains("Garden-5-blue")));
  sell_out(red());

  const RecommendAnswer answer = ask(beside("Garden-4"));

  EXPECT_THAT(ids(answer), Not(Contains("Garden-5")));
  const RecommendedProduct* const blue = find(answer, "Garden-5-blue");
  ASSERT_NE(blue, nullptr);
  const auto place = static_cast<std::size_t>(blue - answer.products.data());
  EXPECT_EQ(before[place], "Garden-5");
  // Only the red one is in the model's lists.
  EXPECT_THAT(blue->source_scores, Contains(testing::Pair("together", testing::Gt(0))));
  EXPECT_EQ(blue->reason.product_id, "Garden-4");
  EXPECT_EQ(blue->product->title, "The Garden-5-blue");
}

TEST_F(VariantsTest, EverySourceAndTheFillKnowIt) {
  sell_out(red());
  // Wanted by everybody, and nothing else is known.
  for (int i = 0; i < 5; ++i) visitor_views("fan" + std::to_string(i), "Garden-5");
  change_placement("home", [](Placement& home) {
    home.sources = {{"buy_again", 1}};
    home.fallback = {"popular"};
  });
  EXPECT_THAT(ids(ask({.limit = 40})), Contains("Garden-5-blue"));
}

TEST_F(VariantsTest, AFilterPicksTheVariantThatFits) {
  Product dear = red();
  dear.price = Money{9900};
  dear.currency = "EUR";
  Product cheap = blue();
  cheap.price = Money{900};
  cheap.currency = "EUR";
  stock({dear, cheap});
  RecommendRequest request = beside("Garden-4", 1);
  request.filter.price_max = Money{1000};
  request.filter.currency = "EUR";

  const RecommendAnswer answer = ask(request);

  EXPECT_THAT(ids(answer), ElementsAre("Garden-5-blue"));
  EXPECT_THAT(answer.products[0].source_scores, Not(testing::IsEmpty()));
}

TEST_F(VariantsTest, NoneTakesThePlaceOfWhatIsNotWanted) {
  sell_out(red());
  change_placement("product_page", [](Placement& page) {
    page.sources = {{"together", 1}};
    page.fallback = {};
    page.variety = {};
  });
  ASSERT_THAT(ids(ask(beside("Garden-4"))), Contains("Garden-5-blue"));

  RecommendRequest request = beside("Garden-4");
  request.exclude = {"Garden-5"};
  EXPECT_THAT(ids(ask(request)), Not(Contains("Garden-5-blue")));
}

TEST_F(VariantsTest, APageShowsNoVariantTwice) {
  sell_out(red());
  const std::vector<RecommendRequest> page = {beside("Garden-4"), beside("Garden-3", 40)};

  const auto answers = recommender_->recommend_page(page);

  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_THAT(ids(answers->front()), Contains("Garden-5-blue"));
  EXPECT_THAT(ids(answers->back()), Not(Contains("Garden-5-blue")));
}

TEST_F(VariantsTest, ARankingStaysWithTheProductsOfItsList) {
  sell_out(red());
  const std::vector<std::string> list = {"Garden-5", "Garden-6"};

  const auto ranking = recommender_->rank({.placement = "search", .visitor_id = "v1"}, list);

  ASSERT_TRUE(ranking.ok()) << ranking.status();
  EXPECT_THAT(ids(ranking->answer), ElementsAre("Garden-6"));
  EXPECT_EQ(ranking->answer.products.front().reason.product_id, "Garden-4");
  EXPECT_THAT(ranking->removed, ElementsAre(testing::Pair("Garden-5", "out_of_stock")));
}

TEST_F(VariantsTest, WhatWasBoughtAndIsSoldOutComesBackAsAVariant) {
  happen({{.user_id = "u1",
           .type = EventType::purchase,
           .product_id = "Garden-5",
           .age_ms = 300 * k_day_ms,
           .order_id = "o1"}});
  sell_out(red());
  change_placement("home", [](Placement& home) {
    home.sources = {{"buy_again", 1}};
    home.answers_newest = false;
  });

  const RecommendAnswer answer = ask({.user_id = "u1", .limit = 3});

  ASSERT_EQ(answer.products.front().product_id, "Garden-5-blue");
  EXPECT_EQ(answer.products.front().reason.text, "You bought another variant of this before");
}

TEST_F(VariantsTest, ANewVariantLiesWhereTheOthersLie) {
  Product green = variant("green");
  green.categories = {"Toys"};
  stock({green});

  const auto live = model_.current();
  const auto vector_of = [&](std::string_view id) {
    const std::span<const float> vector = live->vector(*live->row_of(*numbers_.find(id)));
    return std::vector<float>(vector.begin(), vector.end());
  };

  EXPECT_EQ(vector_of("green"), vector_of("Garden-5"));
}

}  // namespace
}  // namespace vitrine::recommend
