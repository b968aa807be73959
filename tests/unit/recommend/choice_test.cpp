// Rules, caps, variety and chance order what may be shown, and bring nothing else.
#include "server/recommend/choice.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class ChoiceTest : public Shop {
 protected:
  void SetUp() override {
    open_shelves();
    visitor_views("v1", "Garden-4");
    change_placement("home", [](Placement& home) { home.variety = {}; });
  }
  void use_rules(std::vector<Rule> rules) {
    change_placement("home", [&](Placement& home) { home.rules = std::move(rules); });
  }
  void use_variety(const Variety& variety) {
    change_placement("home", [&](Placement& home) { home.variety = variety; });
  }
  RecommendAnswer home(std::size_t limit = 12, RecommendRequest request = {}) {
    request.visitor_id = "v1";
    request.limit = limit;
    request.explain = true;
    return ask(request);
  }
  static std::size_t place_of(const RecommendAnswer& answer, std::string_view id) {
    const auto all = ids(answer);
    return static_cast<std::size_t>(std::ranges::find(all, id) - all.begin()) + 1;
  }
  static float score_of(const RecommendAnswer& answer, std::string_view id) {
    return answer.products[place_of(answer, id) - 1].score;
  }
  static Rule pin_to(std::size_t position, std::string id) {
    return {
        .id = "pin-" + id, .kind = RuleKind::pin, .when = {.products = {id}}, .position = position};
  }
};

TEST_F(ChoiceTest, PinsProductsToTheirPlacesAndSaysSo) {
  use_rules({pin_to(3, "Toys-7"), pin_to(1, "Paper-2"), pin_to(3, "Toys-8"), pin_to(13, "Toys-1")});

  const RecommendAnswer answer = home();

  EXPECT_EQ(answer.products.size(), 12U);
  EXPECT_EQ(place_of(answer, "Paper-2"), 1U);
  EXPECT_EQ(place_of(answer, "Toys-7"), 3U);
  EXPECT_EQ(place_of(answer, "Toys-8"), 4U) << "the place was taken by an earlier rule";
  EXPECT_EQ(place_of(answer, "Toys-1"), 13U) << "the answer is shorter than that";
  EXPECT_THAT(answer.products[0].rules, ElementsAre("pin-Paper-2"));
  EXPECT_TRUE(names(answer, "Garden-4")) << "the newest event is answered beside pins";
  EXPECT_FALSE(answer.products[0].reason.text.empty());
}

TEST_F(ChoiceTest, PinsTheBestCandidateOfACategory) {
  const auto plain = ids(home(48));
  const auto best = std::ranges::find(plain, "Toys", [](const auto& id) { return shelf_of(id); });
  ASSERT_GT(best - plain.begin(), 2);
  use_rules({{.id = "toys second",
              .kind = RuleKind::pin,
              .when = {.categories = {"Toys"}},
              .position = 2}});

  EXPECT_EQ(place_of(home(), *best), 2U);
}

TEST_F(ChoiceTest, KeepsAwayAPinnedProductThatAFilterForbids) {
  use_rules({pin_to(1, "Toys-7"), pin_to(2, "Toys-8"), pin_to(3, "Toys-9"), pin_to(4, "gone")});
  Product sold_out = make_product("Toys-7", "Toys");
  sold_out.in_stock = false;
  stock({sold_out});

  const RecommendAnswer answer =
      home(12, {.exclude = {"Toys-8"}, .filter = {.not_categories = {"Paper"}}});

  EXPECT_THAT(ids(answer),
              Not(testing::AnyOf(Contains("Toys-7"), Contains("Toys-8"), Contains("gone"))));
  EXPECT_EQ(place_of(answer, "Toys-9"), 3U);
  EXPECT_THAT(ids(home(12, {.filter = {.categories = {"Garden"}}})), Not(Contains("Toys-9")));
}

TEST_F(ChoiceTest, MultipliesTheScoresOfWhatIsBoostedAndBuried) {
  const RecommendAnswer plain = home(40);
  const std::string low = plain.products[9].product_id;
  const std::string high = plain.products[0].product_id;
  use_rules({{.id = "more", .kind = RuleKind::boost, .when = {.products = {low}}, .factor = 3},
             {.id = "less", .kind = RuleKind::bury, .when = {.products = {high}}, .factor = 0.5F}});

  const RecommendAnswer answer =
      home(40, {.boosts = {{.id = "now", .when = {.products = {low}}, .factor = 2}}});

  EXPECT_FLOAT_EQ(score_of(answer, low), 6 * score_of(plain, low));
  EXPECT_FLOAT_EQ(score_of(answer, high), 0.5F * score_of(plain, high));
  EXPECT_THAT(answer.products[place_of(answer, low) - 1].rules, ElementsAre("more", "now"));
  EXPECT_THAT(answer.products[place_of(answer, high) - 1].rules, ElementsAre("less"));
  EXPECT_LT(place_of(answer, low), place_of(plain, low));
}

TEST_F(ChoiceTest, FollowsRulesOnlyWhileTheyAreValid) {
  Rule pin = pin_to(1, "Toys-7");
  pin.valid_from_ms = clock_.now_ms() + 1000;
  pin.valid_until_ms = clock_.now_ms() + 2000;
  use_rules({pin});

  EXPECT_NE(place_of(home(), "Toys-7"), 1U);
  clock_.advance(1000);
  EXPECT_EQ(place_of(home(), "Toys-7"), 1U);
  clock_.advance(1000);
  EXPECT_NE(place_of(home(), "Toys-7"), 1U);
}

TEST_F(ChoiceTest, ShowsNoMoreOfACategoryOrBrandThanTheCapAllows) {
  std::vector<Product> products = shelf_products();
  for (std::size_t i = 0; i < products.size(); ++i) {
    if (i % 3 != 0) products[i].brand = "brand-" + std::to_string(i % 3);
  }
  stock(products);
  use_variety({.category_max = 2, .brand_max = 4});

  const RecommendAnswer answer = home(200);

  std::map<std::string, int> shown;
  for (const RecommendedProduct& product : answer.products) {
    EXPECT_LE(++shown[product.product->categories.front()], 2);
    if (!product.product->brand.empty()) {
      EXPECT_LE(++shown[product.product->brand], 4);
    }
  }
  EXPECT_GE(answer.products.size(), 8U);
  EXPECT_LE(answer.products.size(), 16U);
  EXPECT_GT(removed(answer, "category_cap"), 0U);
  EXPECT_GT(removed(answer, "brand_cap"), 0U);
  EXPECT_TRUE(names(answer, "Garden-4"));
}

TEST_F(ChoiceTest, MixesTheShelvesWhenAskedForDiversity) {
  happen({{.visitor_id = "v1", .product_id = "Toys-3"},
          {.visitor_id = "v1", .product_id = "Garden-5"},
          {.visitor_id = "v1", .product_id = "Garden-6"}});
  const auto shelves = [&](float diversity) {
    use_variety({.diversity = diversity});
    std::set<std::string> seen;
    const RecommendAnswer answer = home(6);
    EXPECT_EQ(answer.products.size(), 6U);
    for (const RecommendedProduct& product : answer.products) {
      seen.insert(std::string(shelf_of(product.product_id)));
    }
    return seen.size();
  };
  EXPECT_GT(shelves(0.9F), shelves(0));

  // Beside the pool there is nothing new: the same products, in another order.
  use_variety({});
  auto plain = ids(home(48));
  use_variety({.diversity = 0.5F});
  auto varied = ids(home(48));
  EXPECT_NE(plain, varied);
  EXPECT_THAT(varied, testing::UnorderedElementsAreArray(plain));
}

TEST_F(ChoiceTest, DrawsOnePlaceOfADozenEvenlyFromTheNextBest) {
  const auto best = ids(home(12));
  use_variety({.explores_one_in = 12});
  std::map<std::string, int> drawn;
  double propensity = 0;
  constexpr int k_answers = 2000;
  for (int i = 0; i < k_answers; ++i) {
    const RecommendAnswer answer = home(12);
    ASSERT_EQ(answer.products.size(), 12U);
    for (std::size_t place = 0; place < 11; ++place) {
      ASSERT_FALSE(answer.products[place].propensity.has_value());
    }
    ASSERT_TRUE(answer.products[11].propensity.has_value());
    propensity = *answer.products[11].propensity;
    ++drawn[answer.products[11].product_id];
  }
  EXPECT_NEAR(propensity, 1.0 / static_cast<double>(drawn.size()), 1e-9);
  EXPECT_GT(drawn.size(), 20U);
  for (const auto& [id, times] : drawn) {
    const double expected = k_answers * propensity;
    EXPECT_NEAR(times, expected, 5 * std::sqrt(expected)) << id;
  }
}

TEST_F(ChoiceTest, LeavesNothingToChanceWhereItIsNotWanted) {
  use_variety({.explores_one_in = 12});
  const auto is_drawn = [](const RecommendAnswer& answer) {
    return std::ranges::any_of(answer.products, [](const RecommendedProduct& product) {
      return product.propensity.has_value();
    });
  };
  EXPECT_TRUE(is_drawn(home(12)));
  EXPECT_FALSE(is_drawn(home(11))) << "no whole dozen";
  EXPECT_FALSE(is_drawn(home(12, {.explore = false})));
  EXPECT_FALSE(is_drawn(home(12, {.personalize = false})));
  EXPECT_FALSE(is_drawn(home(12, {.placement = "cart", .cart = {"Garden-1"}})));
}

TEST_F(ChoiceTest, DrawsTheSameWithTheSameSeed) {
  use_variety({.explores_one_in = 12});
  const auto drawn = [&](std::uint64_t seed) {
    Chance chance(seed);
    std::vector<std::uint64_t> draws;
    for (int i = 0; i < 20; ++i) draws.push_back(chance.below(1000));
    return draws;
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
}

}  // namespace
}  // namespace vitrine::recommend
