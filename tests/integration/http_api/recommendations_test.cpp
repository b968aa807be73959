// Recommendations beyond the simple ones: typed filters and boosts, pages, rankings, why-not.
#include <gmock/gmock.h>

#include <set>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class RecommendationsApiTest : public ApiTest {
 protected:
  std::string refused(std::string rest) {
    return failure(post("/v1/recommendations", R"({"placement":"home")" + rest + "}"));
  }
};

TEST_F(RecommendationsApiTest, RefusesFiltersAndBoostsThatAreWrongByTheirPath) {
  EXPECT_THAT(refused(R"(,"filter":7)"),
              HasSubstr("400 invalid_argument filter: filter must be an expression such as"));
  EXPECT_THAT(refused(R"(,"filter":{"color":"red"})"), HasSubstr("filter.color is not a field"));
  EXPECT_THAT(refused(R"(,"filter":{"brands":"acme"})"),
              HasSubstr("filter.brands must be an array"));
  EXPECT_THAT(refused(R"(,"filter":{"price_max":"50"})"), HasSubstr("filter.currency is required"));
  EXPECT_THAT(refused(R"(,"filter":{"price_max":"cheap","currency":"EUR"})"),
              HasSubstr("400 invalid_argument filter.price_max"));
  EXPECT_THAT(refused(R"(,"filter":{"price_min":"9","price_max":"5","currency":"EUR"})"),
              HasSubstr("filter.price_min must not be above price_max"));
  EXPECT_THAT(refused(R"(,"boost":[{"factor":0}])"), HasSubstr("boost[0].factor must be between"));
  EXPECT_THAT(refused(R"(,"boost":[{"when":7}])"),
              HasSubstr("boost[0].when must be an expression"));
  EXPECT_THAT(refused(R"(,"boost":[{"when":{"brand":"x"}}])"),
              HasSubstr("boost[0].when.brand is not a field"));
  EXPECT_THAT(failure(get("/v1/placements/home/products?price_max=50")),
              HasSubstr("currency is required"));
  EXPECT_THAT(failure(get("/v1/placements/home/products?price_min=9&price_max=5&currency=EUR")),
              HasSubstr("400 invalid_argument price_min"));
}

TEST_F(RecommendationsApiTest, TakesFiltersAndBoostsInBothForms) {
  put("p1", "One");
  ok(post("/v1/recommendations", R"({"placement":"home","explain":true,
      "filter":{"brands":["acme"],"not_categories":["Toys"],"price_max":"50.00","currency":"GBP",
                "attributes":{"color":"white"}},
      "boost":[{"id":"sale","when":{"categories":["Sale"]},"factor":1.3},
               {"when":{"brands":["dull"]},"factor":0.5}]})"));
  ok(
      get("/v1/placements/home/products?brands=acme,other&not_categories=Toys&price_max=50"
          "&currency=GBP&explore=false"));
}

TEST_F(RecommendationsApiTest, APageShowsNoProductTwice) {
  for (int i = 0; i < 10; ++i) put(fmt::format("p{}", i), "x");
  const json::value page = ok(post("/v1/pages", R"({"visitor_id":"v1","limit":4,"fields":["title"],
      "placements":[{"placement":"home"},{"placement":"search","limit":5,"exclude":["p3"]}]})"));
  const json::array& parts = page.at("placements").as_array();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].at("products").as_array().size(), 4U);
  EXPECT_EQ(parts[1].at("placement").as_string(), "search");
  std::set<std::string> shown;
  for (const json::value& part : parts) {
    for (const json::value& product : part.at("products").as_array()) {
      EXPECT_TRUE(shown.emplace(product.at("product_id").as_string()).second);
      EXPECT_FALSE(product.as_object().contains("price"));
    }
  }
  EXPECT_GE(shown.size(), 8U);
}

TEST_F(RecommendationsApiTest, RefusesPagesThatAreWrong) {
  const auto page = [&](std::string parts) {
    return failure(post("/v1/pages", R"({"placements":)" + parts + "}"));
  };
  EXPECT_THAT(page("[]"), HasSubstr("400 invalid_argument placements"));
  EXPECT_THAT(page(R"([{"placement":"home"},{"placement":"moon"}])"),
              HasSubstr("404 not_found: placements[1]"));
  EXPECT_THAT(page(R"([{"placement":"home","user_id":"u1"}])"),
              HasSubstr("placements[0].user_id is not a field here"));
  EXPECT_THAT(page(R"([{"placement":"home","filter":"x"}])"),
              HasSubstr("placements[0].filter column 1: unknown name 'x'"));
  EXPECT_THAT(page(R"([{"placement":"product_page"}])"), HasSubstr("product_id is required"));
}

TEST_F(RecommendationsApiTest, RanksAListAndSaysWhatIsUnknown) {
  put("p1", "One");
  put("p2", "Two");
  ok(post("/v1/events", R"({"events":[{"type":"purchase","visitor_id":"v","product_id":"p2"}]})"));
  const json::value ranking =
      ok(post("/v1/rankings", R"({"visitor_id":"w","products":["nope","p1","p2"]})"));
  std::vector<std::string> order;
  for (const json::value& product : ranking.at("products").as_array()) {
    order.emplace_back(product.at("product_id").as_string());
  }
  EXPECT_THAT(order, ::testing::ElementsAre("p2", "p1", "nope"));
  EXPECT_EQ(ranking.at("unknown").as_array().at(0).as_string(), "nope");
  EXPECT_THAT(failure(post("/v1/rankings", R"({"products":[]})")),
              HasSubstr("400 invalid_argument products"));
  EXPECT_THAT(failure(post("/v1/rankings", R"({"products":["p1","p1"]})")),
              HasSubstr("named twice"));
  EXPECT_THAT(failure(post("/v1/rankings", R"({"products":["p1"],"limit":3})")),
              HasSubstr("limit is not a field here"));
}

TEST_F(RecommendationsApiTest, SaysWhyAProductIsNotShown) {
  put("p1", "One");
  ok(ask({"PUT", "/v1/products/p2", R"({"title":"Two","hidden":true})", {}}));
  const auto why = [&](std::string id) {
    return ok(post("/v1/recommendations/why-not",
                   fmt::format(R"({{"placement":"home","product_id":"{}"}})", id)));
  };
  EXPECT_EQ(why("p1").at("is_shown"), true);
  EXPECT_EQ(why("p1").at("position").as_int64(), 1);
  EXPECT_EQ(why("p1").at("stage"), nullptr);
  EXPECT_EQ(why("p2").at("stage").as_string(), "hidden");
  EXPECT_EQ(why("p2").at("last_shown").at("product_id").as_string(), "p1");
  EXPECT_EQ(why("p3").at("stage").as_string(), "unknown_product");
  EXPECT_THAT(failure(post("/v1/recommendations/why-not", R"({"placement":"home"})")),
              HasSubstr("product_id is required"));
}

// What is kept from shoppers is told only to those who decide about it.
TEST_F(RecommendationsApiTest, WhyNotAndPlacementsNeedTheMarketingScope) {
  open(app::Access::by_key);
  const auto key_with = [&](std::string scope) {
    return std::string(
        ok(post("/v1/keys", fmt::format(R"({{"scopes":["{}"]}})", scope))).at("key").as_string());
  };
  const auto status = [&](const std::string& key, std::string method, std::string target) {
    return ask({method,
                target,
                R"({"placement":"home","product_id":"p"})",
                {{"Authorization", "Bearer " + key}}},
               false)
        .status;
  };
  const std::string web = key_with("recommend");
  const std::string shop = key_with(R"(recommend","marketing)");
  EXPECT_EQ(status(web, "POST", "/v1/recommendations/why-not"), 403);
  EXPECT_EQ(status(shop, "POST", "/v1/recommendations/why-not"), 200);
  EXPECT_EQ(status(web, "DELETE", "/v1/placements/home"), 403);
  EXPECT_EQ(status(shop, "DELETE", "/v1/placements/home"), 204);
  EXPECT_EQ(status(web, "GET", "/v1/placements/home/results"), 403);
  const auto list_for = [&](const std::string& key) {
    const Asked asked{"GET", "/v1/placements", "", {{"Authorization", "Bearer " + key}}};
    return ok(ask(asked, false)).at("placements").as_array().at(0).as_object();
  };
  EXPECT_FALSE(list_for(web).contains("rules"));
  EXPECT_TRUE(list_for(shop).contains("rules"));
}

}  // namespace
}  // namespace vitrine::http
