// What may not be shown is not shown, wherever it comes from.
#include <gmock/gmock.h>

#include <functional>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class FilterTest : public Shop {
 protected:
  // All products of the shop that a visitor of the garden may see.
  std::vector<std::string> shown(RecommendRequest request = {}) {
    request.visitor_id = "v1";
    request.limit = 200;
    last_ = ask(request);
    return ids(last_);
  }

  RecommendAnswer last_;
};

TEST_F(FilterTest, TakesAwayWhatTheCatalogForbidsAtOnce) {
  open_shelves();
  visitor_views("v1", "Garden-4");
  struct Case {
    std::string stage;
    std::function<void(Product&)> change;
  };
  const TimeMs now_ms = clock_.now_ms();
  const std::vector<Case> cases = {
      {"hidden", [](Product& product) { product.hidden = true; }},
      {"out_of_stock", [](Product& product) { product.in_stock = false; }},
      {"unavailable", [=](Product& product) { product.available_from_ms = now_ms + 1; }},
      {"unavailable", [=](Product& product) { product.available_until_ms = now_ms; }},
      {"market", [](Product& product) { product.markets = {"FR", "IT"}; }},
  };
  for (const Case& forbidden : cases) {
    Product product = make_product("Garden-5", "Garden > Small");
    ASSERT_THAT(shown({.market = "DE"}), Contains("Garden-5"));
    forbidden.change(product);
    stock({product});

    EXPECT_THAT(shown({.market = "DE"}), Not(Contains("Garden-5"))) << forbidden.stage;
    EXPECT_EQ(removed(last_, forbidden.stage), 1U) << forbidden.stage;
    stock({make_product("Garden-5", "Garden > Small")});
  }
}

TEST_F(FilterTest, ShowsInAMarketWhatIsSoldThereAndWhatIsSoldEverywhere) {
  open_shelves();
  Product product = make_product("Garden-5", "Garden");
  product.markets = {"FR", "DE"};
  stock({product});

  EXPECT_THAT(shown({.market = "DE"}), Contains("Garden-5"));
  EXPECT_THAT(shown({.market = "IT"}), Not(Contains("Garden-5")));
  EXPECT_THAT(shown(), Contains("Garden-5"));
  EXPECT_THAT(shown({.market = "IT"}), Contains("Garden-6"));
}

TEST_F(FilterTest, DropsWhatTheCatalogDoesNotKnowUnlessItKnowsNothing) {
  visitor_views("v2", "ghost");
  EXPECT_THAT(shown(), Contains("ghost"));

  stock({make_product("cup", "")});

  EXPECT_THAT(shown(), ElementsAre("cup"));
  EXPECT_EQ(removed(last_, "not_in_catalog"), 1U);
}

TEST_F(FilterTest, StaysInsideTheCategoryAskedFor) {
  open_shelves();
  visitor_views("v1", "Garden-4");

  const auto toys = shown({.category = "Toys"});
  EXPECT_EQ(toys.size(), k_shelf_products);
  EXPECT_THAT(toys, testing::Each(testing::StartsWith("Toys")));
  EXPECT_GT(removed(last_, "category"), 0U);

  EXPECT_EQ(shown({.category = "Toys > Small"}).size(), k_shelf_products / 2);
  EXPECT_TRUE(shown({.category = "To"}).empty());
}

TEST_F(FilterTest, ShowsOnlyWhatRequestAndPlacementAskForOnEveryPath) {
  open_shelves();
  visitor_views("v1", "Garden-4");
  std::vector<Product> acme;
  for (const std::string_view shelf : k_shelves) {
    acme.push_back(make_product(product_id(shelf, 3), std::string(shelf)));
    acme.back().brand = "acme";
  }
  stock(acme);
  const ProductCondition filter = {.brands = {"acme"}, .not_categories = {"Toys"}};

  for (const std::string placement : {"home", "product_page", "cart"}) {
    const auto answer = shown(
        {.placement = placement, .product_id = "Garden-5", .cart = {"Garden-6"}, .filter = filter});
    EXPECT_THAT(answer, testing::UnorderedElementsAre("Garden-3", "Kitchen-3", "Paper-3"))
        << placement;
    EXPECT_GT(removed(last_, "filter"), 0U) << placement;
  }

  // A placement of the shop's own, which is narrower still.
  change_placement("home",
                   [](Placement& home) { home.filter = {.categories = {"Kitchen", "Toys"}}; });
  EXPECT_THAT(shown({.filter = filter}), ElementsAre("Kitchen-3"));
  EXPECT_EQ(shown().size(), 2 * k_shelf_products);
}

// The lists of the popular and the new end long before a narrow part of a large catalog does.
TEST_F(FilterTest, FillsAnAnswerFromARarePartOfALargeCatalog) {
  std::vector<Product> products;
  for (int i = 0; i < 9000; ++i) {
    products.push_back(make_product("p" + std::to_string(i), "Shelf"));
    if (i % 500 == 7 && i < 4000) products.back().brand = "rare";
  }
  stock(products);
  std::vector<Deed> views;
  for (int i = 8000; i < 8300; ++i) views.push_back({.product_id = "p" + std::to_string(i)});
  happen(views);

  const auto answer = shown({.filter = {.brands = {"rare"}}});

  EXPECT_EQ(answer.size(), 8U);
  EXPECT_THAT(last_.products.front().reason.text, "From our range");
}

TEST_F(FilterTest, RefusesAFilterPastItsLimits) {
  RecommendRequest request;
  request.filter.brands.resize(ProductCondition::k_values_max + 1);
  EXPECT_EQ(recommender_->recommend(request).status().message(),
            "filter.brands must have at most 1000 values, got 1001");
}

TEST_F(FilterTest, LeavesOutWhatTheRequestExcludes) {
  open_shelves();
  visitor_views("v1", "Garden-4");

  EXPECT_THAT(shown({.exclude = {"Garden-5", "never heard of"}}), Not(Contains("Garden-5")));
  EXPECT_EQ(removed(last_, "excluded"), 1U);
}

TEST_F(FilterTest, HidesAtHomeWhatWasBoughtInTheLast180Days) {
  open_shelves();
  const auto bought = [](std::string id, TimeMs age_ms) {
    return Deed{.visitor_id = "v1",
                .type = EventType::purchase,
                .product_id = std::move(id),
                .age_ms = age_ms,
                .order_id = "o1"};
  };
  happen({bought("Garden-1", 179 * k_day_ms),
          bought("Garden-2", 181 * k_day_ms),
          bought("Garden-3", k_day_ms),
          {.visitor_id = "v1", .type = EventType::refund, .product_id = "Garden-3"}});

  const auto home = shown();
  EXPECT_THAT(home, Not(Contains("Garden-1")));
  EXPECT_THAT(home, Contains("Garden-2"));
  EXPECT_THAT(home, Contains("Garden-3")) << "it was given back";
  EXPECT_EQ(removed(last_, "purchased"), 1U);

  EXPECT_THAT(shown({.placement = "product_page", .product_id = "Garden-4"}), Contains("Garden-1"));
}

TEST_F(FilterTest, ShowsOneVariantOfAGroupTheOneInStock) {
  open_shelves();
  std::vector<Product> variants;
  for (std::uint32_t i = 0; i < 5; ++i) {
    variants.push_back(make_product(product_id("Garden", i), "Garden"));
    variants.back().group_id = "spade";
    variants.back().in_stock = i >= 3;
  }
  stock(variants);
  visitor_views("v1", "Garden-7");

  const auto answer = shown();

  EXPECT_EQ(std::ranges::count_if(
                answer, [](const std::string& id) { return id == "Garden-3" || id == "Garden-4"; }),
            1);
  EXPECT_EQ(answer.size(), k_shelves.size() * k_shelf_products - 4);
  EXPECT_EQ(removed(last_, "variant"), 1U);
}

TEST_F(FilterTest, SaysWhatAteTheRestOfAShortAnswer) {
  stock({make_product("cup", "Kitchen"), make_product("pot", "Kitchen")});
  Product gone = make_product("pan", "Kitchen");
  gone.in_stock = false;
  stock({gone});

  const RecommendAnswer answer = ask({.exclude = {"cup"}, .limit = 3});

  EXPECT_THAT(ids(answer), ElementsAre("pot"));
  EXPECT_EQ(removed(answer, "out_of_stock"), 1U);
  EXPECT_EQ(removed(answer, "excluded"), 1U);
  EXPECT_EQ(answer.removed.size(), 2U);
}

}  // namespace
}  // namespace vitrine::recommend
