// Filters, boosts, rules and placements that ask who is there, what is in the cart, and where.
#include "server/recommend/visit.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <ranges>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::Each;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ProductCondition when(std::string_view text) {
  auto expression = ProductExpression::parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return {.expression = *std::move(expression)};
}

segments::Audience audience(std::string_view text) {
  auto parsed = segments::Audience::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status();
  return *std::move(parsed);
}

class VisitTest : public Shop {
 protected:
  VisitTest() {
    open_shelves();
    std::vector<Product> branded;
    for (const std::string_view shelf : {"Kitchen", "Garden"}) {
      for (std::uint32_t i = 0; i < k_shelf_products; ++i) {
        Product product = make_product(product_id(shelf, i), std::string(shelf));
        product.brand = shelf == "Kitchen" ? "alpha" : "beta";
        product.price = Money{500 + 100 * static_cast<std::int64_t>(i)};
        product.currency = "EUR";
        branded.push_back(std::move(product));
      }
    }
    stock(std::move(branded));
    visitor_views("v1", "Kitchen-4");
  }

  std::vector<std::string> shown(std::string_view filter, const std::string& visitor = "v1") {
    RecommendRequest request{.visitor_id = visitor, .filter = when(filter), .limit = 200};
    request.cart = cart_;
    request.channel = "app";
    last_ = ask(request);
    return ids(last_);
  }
  // Of `shelf` among the first six.
  std::size_t leading(std::string_view shelf, const RecommendRequest& request) {
    const std::vector<std::string> found = ids(ask(request));
    return static_cast<std::size_t>(
        std::ranges::count(found | std::views::take(6), shelf, shelf_of));
  }

  std::vector<std::string> cart_;
  RecommendAnswer last_;
};

TEST_F(VisitTest, AFilterComparesProductsWithThePerson) {
  EXPECT_EQ(shown("brand == user.last_brand").size(), 12U);
  EXPECT_THAT(ids(last_), Each(StartsWith("Kitchen")));
  const std::vector<std::string> others = shown("brand != user.last_brand && price < 8");
  EXPECT_THAT(others, testing::UnorderedElementsAre("Garden-0", "Garden-1", "Garden-2"));
  EXPECT_THAT(shown("brand == user.last_brand", "nobody-yet"), IsEmpty()) << "no brand to compare";
}

TEST_F(VisitTest, WhatAFilterSaysOfTheVisitAloneHoldsForAllProductsOrNone) {
  EXPECT_EQ(shown("user.orders_count == 0 && price < 7").size(), 4U);
  EXPECT_THAT(shown("user.orders_count > 0 && price < 7"), IsEmpty());
  EXPECT_GT(removed(last_, "filter"), 0U);
  EXPECT_THAT(shown("user.orders_count > 0 || price < 7"), testing::SizeIs(4)) << "asked of each";
  EXPECT_EQ(shown("context.channel == \"app\" && context.placement == \"home\"").size(), 48U);
  EXPECT_THAT(shown("context.channel == \"web\""), IsEmpty());
}

TEST_F(VisitTest, AFilterSeesTheCartAndTheSession) {
  EXPECT_THAT(shown("cart.subtotal > 0"), IsEmpty());
  cart_ = {"Garden-0", "Garden-1"};
  EXPECT_FALSE(shown("cart.subtotal == 11 && cart.quantity == 2").empty());
  EXPECT_THAT(shown("brand in [\"alpha\", \"beta\"] && price > cart.subtotal"),
              testing::UnorderedElementsAre("Kitchen-7", "Kitchen-8", "Kitchen-9", "Kitchen-10",
                                            "Kitchen-11", "Garden-7", "Garden-8", "Garden-9",
                                            "Garden-10", "Garden-11"));
  EXPECT_THAT(shown("\"Kitchen\" in session.categories && price < 6"), Contains("Garden-0"));
  EXPECT_THAT(shown("\"Garden\" in session.categories"), IsEmpty());
}

TEST_F(VisitTest, WhoMayNotBeKnownIsSomebodyNew) {
  RecommendRequest request{.visitor_id = "v1", .filter = when("has(user.last_brand)"), .limit = 9};
  EXPECT_THAT(ids(ask(request)), testing::SizeIs(9));
  request.personalize = false;
  EXPECT_THAT(ids(ask(request)), IsEmpty());
}

TEST_F(VisitTest, ABoostIsForItsAudience) {
  RecommendRequest request{.visitor_id = "v1", .limit = 12};
  const std::size_t usual = leading("Garden", request);
  request.boosts = {{.id = "a",
                     .when = when("brand == \"beta\""),
                     .audience = audience("user.orders_count == 0 && session.views >= 1"),
                     .factor = 100}};
  EXPECT_GT(leading("Garden", request), usual);
  request.boosts[0].audience = audience("user.orders_count > 0");
  EXPECT_EQ(leading("Garden", request), usual);
  request.boosts[0].audience = {};
  request.boosts[0].when = when("brand != user.last_brand && user.orders_count == 0");
  EXPECT_GT(leading("Garden", request), usual);
}

TEST_F(VisitTest, ARuleOfAPlacementIsForItsAudience) {
  const auto pin_for = [&](std::string_view text) {
    change_placement("home", [&](Placement& home) {
      home.rules = {{.id = "paper",
                     .kind = RuleKind::pin,
                     .when = {.products = {"Paper-3"}},
                     .audience = audience(text)}};
    });
    return ids(home_of_visitor("v1")).front();
  };
  EXPECT_EQ(pin_for("!user.is_known"), "Paper-3");
  EXPECT_NE(pin_for("user.is_known"), "Paper-3");
}

TEST_F(VisitTest, APlacementShowsNothingToOthersThanItsAudience) {
  change_placement("home", [&](Placement& home) { home.audience = audience("cart.quantity > 0"); });
  RecommendRequest request{.visitor_id = "v1"};
  EXPECT_FALSE(ask(request).in_audience);
  EXPECT_THAT(ids(ask(request)), IsEmpty());
  const auto why = recommender_->why_not(request, "Paper-3");
  ASSERT_TRUE(why.ok()) << why.status();
  EXPECT_EQ(why->stage, "audience");
  request.cart = {"Kitchen-1"};
  EXPECT_TRUE(ask(request).in_audience);
  EXPECT_THAT(ids(ask(request)), Not(IsEmpty()));
}

TEST(NamedSegmentsTest, SayWhereAPlacementNamesThem) {
  Placement placement = *PlacementBook::shipped().find("home");
  EXPECT_THAT(named_segments(placement), IsEmpty());
  placement.filter = when("in_segment(\"b\") || in_segment(\"a\")");
  placement.audience = audience("!in_segment(\"c\")");
  placement.rules = {
      {.id = "r", .when = when("price < 5"), .audience = audience("in_segment(\"d\")")}};
  std::vector<std::string> named;
  for (const NamedSegment& one : named_segments(placement)) {
    named.push_back(one.segment + " " + one.where);
  }
  EXPECT_THAT(named, testing::ElementsAre("a filter", "b filter", "c audience", "d rules[r]"));
}

// Splitting changes no answer: a && b && c is asked in any order.
TEST(ProductExpressionTest, WhatItSaysOfProductsAloneIsKeptApart) {
  const auto text = [](std::string_view whole) {
    return std::string(ProductExpression::parse(whole)->product_text());
  };
  EXPECT_EQ(text("price<5  && in_stock"), "price<5  && in_stock") << "as it was written";
  EXPECT_EQ(text("price<5 && user.is_known && (in_stock && cart.quantity > 1)"),
            "price < 5 && in_stock");
  EXPECT_EQ(text("price < 5 || user.is_known"), "");
  EXPECT_FALSE(ProductExpression::parse("price < 5")->asks_about_visit());
  EXPECT_TRUE(ProductExpression::parse("bucket(\"x\", 0, 0.5)")->asks_about_visit());
}

}  // namespace
}  // namespace vitrine::recommend
