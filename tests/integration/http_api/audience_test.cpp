// For whom something is, and when: audiences of placements, rules and boosts, filters that speak of
// people, and the segments they name.
#include <gmock/gmock.h>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class AudienceApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(post("/v1/products/batch", R"({"products":[
      {"product_id":"cup","brand":"acme","price":"4.50","currency":"EUR"},
      {"product_id":"pot","brand":"acme","price":"45.00","currency":"EUR"},
      {"product_id":"gin","brand":"zen","price":"19.90","currency":"EUR"}]})"));
    ok(post("/v1/events", R"({"events":[
      {"type":"purchase","user_id":"ann","product_id":"cup","price":"4.50","currency":"EUR","order_id":"o-1"},
      {"type":"view","user_id":"bob","product_id":"gin"}]})"));
    ok(ask({"PUT", "/v1/segments/vip", R"({"kind":"static","name":"VIP"})", {}}));
    ok(post("/v1/segments/vip/members", R"({"add":["ann"]})"));
  }

  // `asked`: who asks, where, and what for.
  std::vector<std::string> shown(std::string_view asked, std::string_view placement = "shelf") {
    const json::value answer = ok(
        post("/v1/recommendations", fmt::format(R"j({{"placement":"{}",{}}})j", placement, asked)));
    std::vector<std::string> found;
    for (const json::value& product : answer.at("products").as_array()) {
      found.emplace_back(product.at("product_id").as_string());
    }
    return found;
  }
  Response put_shelf(std::string_view more) {
    return ask({"PUT",
                "/v1/placements/shelf",
                fmt::format(R"j({{"sources":[{{"source":"new"}}]{}}})j", more),
                {}});
  }
};

TEST_F(AudienceApiTest, AFilterSpeaksOfProductsAndOfWhoAsks) {
  ok(put_shelf(""));
  EXPECT_THAT(shown(R"j("user_id":"ann","filter":"brand == user.last_brand")j"),
              UnorderedElementsAre("cup", "pot"));
  EXPECT_THAT(shown(R"j("user_id":"bob","filter":"brand == user.last_brand")j"),
              ElementsAre("gin"));
  EXPECT_THAT(shown(R"j("user_id":"bob","filter":"price < 20 && in_segment(\"vip\")")j"),
              IsEmpty());
  EXPECT_THAT(shown(R"j("user_id":"ann","filter":"price < 20 && in_segment(\"vip\")")j"),
              UnorderedElementsAre("cup", "gin"));
}

TEST_F(AudienceApiTest, AFilterSeesTheCartAndTheContext) {
  ok(put_shelf(""));
  EXPECT_THAT(shown(R"j("filter":"price > cart.subtotal","context":{"cart":["gin"]})j"),
              ElementsAre("pot"));
  EXPECT_THAT(shown(R"j("filter":"context.device == \"phone\"","context":{"device":"phone"})j"),
              ::testing::SizeIs(3));
  EXPECT_THAT(shown(R"j("filter":"context.device == \"phone\"","context":{"device":"tv"})j"),
              IsEmpty());
  const Response far = post("/v1/recommendations",
                            R"j({"placement":"shelf","context":{"utc_offset_minutes":841}})j");
  EXPECT_EQ(far.status, 400);
  EXPECT_THAT(far.body, HasSubstr("utc_offset_minutes"));
  const json::value got =
      ok(get("/v1/placements/shelf/products?filter=context.country+%3D%3D+%22AT%22&country=AT"));
  EXPECT_EQ(got.at("products").as_array().size(), 3U);
}

TEST_F(AudienceApiTest, APlacementIsForItsAudience) {
  EXPECT_EQ(put_shelf(R"j(,"audience":"user.orders_count == 0")j").status, 201);
  const json::value stored = ok(get("/v1/placements/shelf"));
  EXPECT_EQ(stored.at("audience"), "user.orders_count == 0");
  EXPECT_THAT(shown(R"j("user_id":"bob")j"), ::testing::SizeIs(3));
  const json::value others =
      ok(post("/v1/recommendations", R"j({"placement":"shelf","user_id":"ann"})j"));
  EXPECT_EQ(others.at("in_audience"), false);
  EXPECT_TRUE(others.at("products").as_array().empty());
  const json::value why = ok(post("/v1/recommendations/why-not",
                                  R"j({"placement":"shelf","user_id":"ann","product_id":"cup"})j"));
  EXPECT_EQ(why.at("stage"), "audience");
  EXPECT_EQ(ask({"PUT", "/v1/placements/shelf", json::serialize(stored), {}}).status, 200)
      << "what was read can be written back";
}

TEST_F(AudienceApiTest, ABoostAndARuleAreForTheirAudience) {
  ok(put_shelf(
      R"j(,"rules":[{"id":"r","kind":"pin","when":{"products":["pot"]},"audience":"in_segment(\"vip\")"}])j"));
  EXPECT_EQ(shown(R"j("user_id":"ann")j").front(), "pot");
  const std::vector<std::string> usual = shown(R"j("user_id":"bob")j");
  EXPECT_NE(usual.front(), "pot");
  const auto boosted = [&](std::string_view audience) {
    return shown(fmt::format(
        R"j("user_id":"bob","boost":[{{"when":"product_id == \"pot\"","audience":"{}","factor":100}}])j",
        audience));
  };
  EXPECT_EQ(boosted("!in_segment(\\\"vip\\\")").front(), "pot");
  EXPECT_EQ(boosted("in_segment(\\\"vip\\\")"), usual);
}

TEST_F(AudienceApiTest, ASegmentThatAPlacementNamesIsThereAndStays) {
  const Response unknown = put_shelf(R"j(,"audience":"in_segment(\"vips\")")j");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("did you mean 'vip'?"));
  const Response asked =
      post("/v1/recommendations", R"j({"placement":"home","filter":"in_segment(\"vips\")"})j");
  EXPECT_EQ(asked.status, 400);
  EXPECT_THAT(asked.body, HasSubstr("did you mean 'vip'?"));

  ok(put_shelf(
      R"j(,"rules":[{"id":"autumn","kind":"boost","factor":2,"audience":"in_segment(\"vip\")"}])j"));
  const json::value user = ok(get("/v1/segments/vip")).at("used_by").as_array().at(0);
  EXPECT_EQ(user.at("placement"), "shelf");
  EXPECT_EQ(user.at("where"), "rules[autumn]");
  const Response refused = ask({"DELETE", "/v1/segments/vip", "", {}});
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("placement shelf (rules[autumn]) asks for it"));

  EXPECT_EQ(ask({"DELETE", "/v1/placements/shelf", "", {}}).status, 204);
  EXPECT_EQ(ask({"DELETE", "/v1/segments/vip", "", {}}).status, 204);
}

TEST_F(AudienceApiTest, RefusesWithTheColumn) {
  const Response refused = put_shelf(R"j(,"audience":"cart.subtotl > 5")j");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("audience column 1: unknown name 'cart.subtotl'; did you "
                                      "mean 'cart.subtotal'?"));
  EXPECT_THAT(put_shelf(R"j(,"audience":"price < 5")j").body, HasSubstr("unknown name 'price'"));
  const json::value fields = ok(get("/v1/expressions/fields?about=request"));
  EXPECT_GT(fields.at("fields").as_array().size(), 60U);
  const json::value checked =
      ok(post("/v1/expressions/check",
              R"j({"about":"audience","expression":"cart.quantity>1&&user.is_known"})j"));
  EXPECT_EQ(checked.at("expression"), "cart.quantity > 1 && user.is_known");
}

// Neither what they did nor which segments they are in may have a say.
TEST_F(AudienceApiTest, SomebodyWhoRefusesToBeKnownIsNew) {
  ok(put_shelf(""));
  EXPECT_THAT(shown(R"j("user_id":"ann","filter":"user.orders_count > 0")j"), ::testing::SizeIs(3));
  EXPECT_THAT(
      shown(
          R"j("user_id":"ann","personalize":false,"filter":"user.orders_count > 0 || in_segment(\"vip\")")j"),
      IsEmpty());
}

}  // namespace
}  // namespace vitrine::http
