// Pages, rankings and why-not: the same pipeline, asked in other ways.
#include <gmock/gmock.h>

#include <set>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PageTest : public Shop {
 protected:
  void SetUp() override { open_shelves(); }

  static RecommendRequest request_for(std::string placement, std::size_t limit = 8) {
    RecommendRequest request;
    request.placement = std::move(placement);
    request.visitor_id = "v1";
    request.explore = false;
    request.limit = limit;
    return request;
  }
  std::vector<RecommendAnswer> page(const std::vector<RecommendRequest>& requests) {
    auto answers = recommender_->recommend_page(requests);
    EXPECT_TRUE(answers.ok()) << answers.status();
    return answers.ok() ? *std::move(answers) : std::vector<RecommendAnswer>();
  }
  WhyNot why_not(const RecommendRequest& request, std::string_view id) {
    auto found = recommender_->why_not(request, id);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *std::move(found) : WhyNot();
  }
};

TEST_F(PageTest, ShowsNoProductTwiceAndLetsTheEarlierPlacementWin) {
  visitor_views("v1", "Toys-3");
  const RecommendAnswer alone = ask(request_for("home"));
  const auto answers =
      page({request_for("home"), request_for("category_page"), request_for("search")});

  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(ids(answers[0]), ids(alone));
  std::set<std::string> shown;
  std::set<std::string> recommendations;
  for (const RecommendAnswer& answer : answers) {
    EXPECT_EQ(answer.products.size(), 8U);
    for (const std::string& id : ids(answer)) EXPECT_TRUE(shown.insert(id).second) << id;
    recommendations.insert(answer.recommendation_id);
  }
  EXPECT_EQ(recommendations.size(), 3U);
  EXPECT_GT(removed(answers[1], "on_page"), 0U);
}

TEST_F(PageTest, ShowsNoTwoVariantsOfOneProduct) {
  std::vector<Product> products = shelf_products();
  for (Product& product : products)
    product.group_id = "group of " + product.product_id.substr(0, 8);
  stock(std::move(products));
  visitor_views("v1", "Toys-3");
  std::set<std::string> groups;
  for (const RecommendAnswer& answer : page({request_for("home", 4), request_for("search", 4)})) {
    for (const RecommendedProduct& product : answer.products) {
      EXPECT_TRUE(groups.insert(product.product->group_id).second) << product.product_id;
    }
  }
}

TEST_F(PageTest, NamesThePlacementThatIsWrong) {
  const std::vector<RecommendRequest> requests = {request_for("home"), request_for("moon")};
  EXPECT_THAT(std::string(recommender_->recommend_page(requests).status().message()),
              HasSubstr("placements[1]: placement 'moon' does not exist"));
  EXPECT_FALSE(recommender_->recommend_page({}).ok());
  const std::vector<RecommendRequest> many(Recommender::k_page_max + 1, request_for("home"));
  EXPECT_THAT(std::string(recommender_->recommend_page(many).status().message()),
              HasSubstr("between 1 and 12 entries, got 13"));
}

TEST_F(PageTest, RanksAListByTasteAndKeepsTheUnknownAtTheEnd) {
  visitor_views("v1", "Toys-3");
  const std::vector<std::string> list = {"who-1", "Paper-1", "Garden-2", "Toys-4", "who-2"};
  const auto ranking = recommender_->rank(request_for("search"), list);
  ASSERT_TRUE(ranking.ok()) << ranking.status();
  EXPECT_EQ(ids(ranking->answer).front(), "Toys-4");
  EXPECT_EQ(ranking->answer.products.size(), 3U);
  EXPECT_THAT(ranking->unknown, ElementsAre("who-1", "who-2"));
  EXPECT_TRUE(ranking->removed.empty());
}

TEST_F(PageTest, ARankingLeavesOutWhatMayNotBeShownAndSaysSo) {
  Product hidden = make_product("Toys-4", "Toys");
  hidden.hidden = true;
  stock({hidden});
  const std::vector<std::string> list = {"Paper-1", "Toys-4"};
  const auto ranking = recommender_->rank(request_for("search"), list);
  ASSERT_TRUE(ranking.ok()) << ranking.status();
  EXPECT_THAT(ids(ranking->answer), ElementsAre("Paper-1"));
  EXPECT_THAT(ranking->removed, ElementsAre(testing::Pair("Toys-4", "hidden")));
}

TEST_F(PageTest, RefusesARankingOfNothingOfTooMuchAndOfTheSameTwice) {
  const auto refusal = [&](const std::vector<std::string>& list) {
    return std::string(recommender_->rank(request_for("search"), list).status().message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("between 1 and 1000"));
  EXPECT_THAT(refusal(std::vector<std::string>(1001, "Toys-1")), HasSubstr("got 1001"));
  EXPECT_THAT(refusal({"Toys-1", "Toys-1"}), HasSubstr("products[1] 'Toys-1' is named twice"));
}

TEST_F(PageTest, WhyNotTellsThePlaceOfWhatIsShown) {
  visitor_views("v1", "Toys-3");
  const RecommendAnswer answer = ask(request_for("home"));
  const WhyNot found = why_not(request_for("home"), answer.products[2].product_id);
  EXPECT_EQ(found.position, 3U);
  EXPECT_EQ(found.stage, "");
  EXPECT_TRUE(found.is_candidate);
  EXPECT_FALSE(found.source_scores.empty());
}

TEST_F(PageTest, WhyNotNamesTheStageThatTookAProductAway) {
  Product hidden = make_product("Toys-4", "Toys");
  hidden.hidden = true;
  Product sold_out = make_product("Toys-5", "Toys");
  sold_out.in_stock = false;
  stock({hidden, sold_out});
  visitor_views("v1", "Toys-3");
  RecommendRequest request = request_for("home");
  request.exclude = {"Toys-6"};

  EXPECT_EQ(why_not(request, "Toys-4").stage, "hidden");
  EXPECT_EQ(why_not(request, "Toys-5").stage, "out_of_stock");
  EXPECT_EQ(why_not(request, "Toys-6").stage, "excluded");
  EXPECT_EQ(why_not(request, "nobody-named-this").stage, "unknown_product");
}

TEST_F(PageTest, WhyNotComparesACandidateWithTheLastOneShown) {
  visitor_views("v1", "Toys-3");
  const RecommendRequest request = request_for("home", 3);
  std::size_t outdone = 0;
  for (std::uint32_t i = 0; i < k_shelf_products; ++i) {
    const WhyNot found = why_not(request, product_id("Toys", i));
    if (found.stage != "score") continue;
    ++outdone;
    EXPECT_TRUE(found.is_candidate);
    EXPECT_GT(found.score, 0);
  }
  EXPECT_GT(outdone, 3U);
}

TEST_F(PageTest, AChangedPlacementIsInTheNextAnswer) {
  visitor_views("v1", "Toys-3");
  Placement home = *recommender_->placements()->find("home");
  home.sources = {{"new", 1}};
  home.version = 9;
  home.answers_newest = false;
  recommender_->use(recommender_->placements()->with(home));
  const RecommendAnswer answer = ask(request_for("home"));
  EXPECT_EQ(answer.placement_version, 9U);
  for (const RecommendedProduct& product : answer.products) EXPECT_EQ(product.source, "new");
}

}  // namespace
}  // namespace vitrine::recommend
