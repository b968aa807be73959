// Expressions where a shop writes them: filters, boosts, placements, and the editor's routes.
#include <gmock/gmock.h>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class ExpressionsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(post("/v1/products/batch", R"({"products":[
      {"product_id":"cup","title":"Cup","brand":"acme","price":"4.50","currency":"EUR","categories":["Home > Kitchen"],"attributes":{"color":"red"}},
      {"product_id":"pot","title":"Pot","brand":"acme","price":"45.00","list_price":"60.00","currency":"EUR","categories":["Home > Kitchen"]},
      {"product_id":"gin","title":"Gin","price":"19.90","currency":"EUR","categories":["Drinks"],"markets":["DE"]},
      {"product_id":"old","title":"Old","brand":"acme","currency":"EUR","created_at":"2026-01-01T00:00:00Z"}]})"));
  }

  std::vector<std::string> ids(const json::value& answer) {
    std::vector<std::string> found;
    for (const json::value& product : answer.at("products").as_array()) {
      found.emplace_back(product.at("product_id").as_string());
    }
    return found;
  }
  std::vector<std::string> shown(std::string filter, std::string more = {}) {
    return ids(ok(post("/v1/recommendations",
                       fmt::format(R"j({{"placement":"home","filter":{}{}}})j", filter, more))));
  }
};

TEST_F(ExpressionsApiTest, AFilterAsTextNarrowsEverySourceAndFallback) {
  EXPECT_THAT(shown(R"j("price < 20")j"), UnorderedElementsAre("cup", "gin"));
  EXPECT_THAT(shown(R"j("'Home' in categories && !has(list_price)")j"), ElementsAre("cup"));
  EXPECT_THAT(shown(R"j("price <= 0.75 * list_price")j"), ElementsAre("pot"));
  EXPECT_THAT(shown(R"j("brand != 'acme'")j"), ElementsAre()) << "gin has no brand";
  EXPECT_THAT(shown(R"j("attributes.color == 'red' || 'DE' in markets")j"),
              UnorderedElementsAre("cup", "gin"));
  EXPECT_THAT(shown(R"j({"brands":["acme"],"expression":"price > 10"})j"), ElementsAre("pot"));
  EXPECT_THAT(ids(ok(get("/v1/placements/home/products?filter=price+%3C+20"))),
              UnorderedElementsAre("cup", "gin"));
}

// The time of an expression goes on in steps of an hour.
TEST_F(ExpressionsApiTest, AFilterByAgeFollowsTheClock) {
  EXPECT_THAT(shown(R"j("days_since(created_at) < 30")j"),
              UnorderedElementsAre("cup", "pot", "gin"));
  EXPECT_THAT(shown(R"j("days_since(created_at) >= 30")j"), ElementsAre("old"));
  clock_.advance(31 * k_day_ms);
  EXPECT_THAT(shown(R"j("days_since(created_at) < 30")j"), ElementsAre());
  EXPECT_EQ(shown(R"j("days_since(created_at) >= 30")j").size(), 4U);
}

TEST_F(ExpressionsApiTest, ABoostAsTextMovesWhatItHoldsFor) {
  ok(ask({"PUT", "/v1/placements/shelf", R"({"sources":[{"source":"new"}]})", {}}));
  const auto first = [&](std::string when, double factor) {
    return ids(ok(post(
                   "/v1/recommendations",
                   fmt::format(R"j({{"placement":"shelf","boost":[{{"when":"{}","factor":{}}}]}})j",
                               when, factor))))
        .front();
  };
  EXPECT_EQ(first("price > 40", 100), "pot");
  EXPECT_EQ(first("attributes.color == 'red'", 100), "cup");
  EXPECT_EQ(first("brand == 'acme'", 0.01), "gin");
}

TEST_F(ExpressionsApiTest, APlacementKeepsItsExpressionsAsTheyWereWritten) {
  const json::value made = ok(ask({"PUT",
                                   "/v1/placements/footer",
                                   R"({
      "sources":[{"source":"new"}],"filter":"price<20",
      "rules":[{"id":"gin first","kind":"pin","when":"title == 'Gin'","position":1}]})",
                                   {}}));
  EXPECT_EQ(made.at("filter").as_string(), "price<20");
  open(app::Access::everybody);
  const json::value kept = ok(get("/v1/placements/footer"));
  EXPECT_EQ(kept.at("rules").at(0).at("when").as_string(), "title == 'Gin'");
  EXPECT_THAT(ids(ok(get("/v1/placements/footer/products"))), ElementsAre("gin", "cup"));
}

TEST_F(ExpressionsApiTest, RefusesWithTheColumnAndChangesNothing) {
  const auto refusal = [&](std::string filter) {
    return failure(post("/v1/recommendations",
                        fmt::format(R"j({{"placement":"home","filter":{}}})j", filter)));
  };
  EXPECT_EQ(refusal(R"j("prise < 50")j"),
            "400 invalid_argument filter: filter column 1: unknown name 'prise'; did you mean "
            "'price'?");
  EXPECT_THAT(refusal(R"j("price < '50'")j"),
              HasSubstr("column 7: expected two values of one type"));
  EXPECT_THAT(refusal(R"j("")j"), HasSubstr("filter column 1: expected a condition, got nothing"));
  EXPECT_THAT(refusal("\"" + std::string(5000, ' ') + "\""), HasSubstr("4096"));
  EXPECT_THAT(failure(get("/v1/placements/home/products?filter=price+%3C")),
              HasSubstr("400 invalid_argument filter: filter column 8"));
}

TEST_F(ExpressionsApiTest, GivesEditorsTheTextTheTreeAndTheNames) {
  const json::value checked =
      ok(post("/v1/expressions/check", R"j({"expression":"(price<50)&&in_stock"})j"));
  EXPECT_EQ(checked.at("expression").as_string(), "price < 50 && in_stock");
  EXPECT_EQ(checked.at("depends_on_time"), false);
  json::object tree;
  tree["tree"] = checked.at("tree");
  EXPECT_EQ(ok(post("/v1/expressions/check", json::serialize(tree))), checked);

  EXPECT_THAT(failure(post("/v1/expressions/check", "{}")),
              HasSubstr("expression or tree must be given"));
  EXPECT_THAT(failure(post("/v1/expressions/check", R"j({"tree":{"op":"~","args":[1]}})j")),
              HasSubstr("400 invalid_argument tree: tree .op must be an operation"));
  EXPECT_THAT(failure(post("/v1/expressions/check", R"j({"tree":{"name":"prise"}})j")),
              HasSubstr("did you mean 'price'?"));

  const json::value fields = ok(get("/v1/expressions/fields"));
  EXPECT_EQ(fields.at("fields").at(0).at("name").as_string(), "product_id");
  EXPECT_EQ(fields.at("fields").at(3).at("type").as_string(), "paths");
}

}  // namespace
}  // namespace vitrine::http
