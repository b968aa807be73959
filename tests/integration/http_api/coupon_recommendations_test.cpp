// Coupons shown to people over HTTP: alone, on a page, under a public key; holdouts and levels.
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class CouponRecommendationsTest : public ApiTest {
 protected:
  void configure(app::Config& config) override {
    config.coupon_rules = {.control_percent = 0, .new_per_week = 50};
    config.levels.levels = *segments::parse_levels("gold:100");
  }
  void SetUp() override {
    ApiTest::SetUp();
    ok(post("/v1/products/batch", R"({"products":[
      {"product_id":"dress","title":"Dress","categories":["Clothes"],"price":"80.00","currency":"EUR"},
      {"product_id":"cream","title":"Cream","categories":["Beauty"],"price":"80.00","currency":"EUR"}]})"));
    campaign("spring", 0);
    offer("clothes", R"("conditions":{"products":"\"Clothes\" in categories"})");
    offer("beauty", R"("conditions":{"products":"\"Beauty\" in categories"})");
    ok(post("/v1/events", R"({"events":[
      {"type":"purchase","user_id":"ann","product_id":"cream","order_id":"o-1","price":"150.00","currency":"EUR"},
      {"type":"view","visitor_id":"v1","product_id":"dress"}]})"));
  }

  Response put_json(std::string target, std::string body) {
    return ask({"PUT", std::move(target), std::move(body), {}});
  }
  void campaign(std::string_view id, double share) {
    ok(put_json(fmt::format("/v1/campaigns/{}", id),
                fmt::format(R"({{"state":"active","holdout":{{"share":{}}}}})", share)));
  }
  // To be claimed: 5.00 off 40.00.
  void offer(std::string_view id, std::string_view more, std::string_view of = "spring") {
    ok(put_json(fmt::format("/v1/offers/{}", id), fmt::format(R"({{"campaign":"{}",
      "trigger":"claimed","effect":{{"kind":"full_reduction"}},"stacking":{{"class":"{}"}},
      "amounts":{{"*":{{"currency":"EUR","tiers":[{{"threshold":"40.00","off":"5.00"}}]}}}},{}}})",
                                                              of, id, more)));
  }
  static std::vector<std::string> offers_in(const json::value& answer) {
    std::vector<std::string> ids;
    for (const json::value& coupon : answer.at("coupons").as_array()) {
      ids.emplace_back(coupon.at("offer").as_string());
    }
    return ids;
  }
  json::value coupons_for(std::string_view who) {
    return ok(post("/v1/coupons/recommendations",
                   fmt::format(R"({{{},"explore":false,"limit":9}})", who)));
  }
  // As soon as what changed is on the shelf.
  json::value personal_coupons_for(std::string_view who, std::string_view first) {
    json::value answer;
    for (int i = 0; i < 200; ++i) {
      answer = coupons_for(who);
      if (offers_in(answer).at(0) == first &&
          answer.at("coupons").at(0).at("reason").at("kind") != "value") {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return answer;
  }
};

TEST_F(CouponRecommendationsTest, EverybodyGetsTheirsWithAReasonAndOnAPageToo) {
  // As many want the one as the other, so that what each of them looked at decides.
  ok(post("/v1/events", R"({"events":[{"type":"purchase","user_id":"bob","product_id":"dress",
      "order_id":"o-2","price":"150.00","currency":"EUR"}]})"));
  const json::value anns = personal_coupons_for(R"("user_id":"ann")", "beauty");
  EXPECT_THAT(offers_in(anns), ElementsAre("beauty", "clothes"));
  const json::value& first = anns.at("coupons").at(0);
  EXPECT_EQ(first.at("reason").at("text"), "Good for Cream, which you bought before");
  EXPECT_EQ(first.at("says"), "5.00 EUR off from 40.00 EUR");
  EXPECT_EQ(first.at("personalized_offer"), true);
  EXPECT_EQ(first.at("to_be_claimed"), true);
  const json::value visitors = personal_coupons_for(R"("visitor_id":"v1")", "clothes");
  EXPECT_THAT(offers_in(visitors), ElementsAre("clothes", "beauty")) << visitors;
  const json::value page = ok(post("/v1/pages", R"({"user_id":"ann","limit":2,"explore":false,
      "placements":[{"placement":"coupons"},{"placement":"home"},{"placement":"coupons","limit":1}]})"));
  const json::array& parts = page.at("placements").as_array();
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_THAT(offers_in(parts[0]), ElementsAre("beauty", "clothes"));
  EXPECT_TRUE(parts[1].as_object().contains("products"));
  EXPECT_THAT(offers_in(parts[2]), ElementsAre("beauty"));
  const json::value alone =
      ok(post("/v1/recommendations", R"({"placement":"coupons","user_id":"ann",
      "explore":false})"));
  EXPECT_THAT(offers_in(alone), ElementsAre("beauty", "clothes"));
  EXPECT_THAT(failure(post("/v1/pages", R"({"placements":[{"placement":"coupons"},
      {"placement":"moon"}]})")),
              HasSubstr("404 not_found: placements[1]"));
}

TEST_F(CouponRecommendationsTest, WhoRefusesPersonalizationGetsWhatEverybodyGets) {
  personal_coupons_for(R"("user_id":"ann")", "beauty");
  const json::value asked = coupons_for(R"("user_id":"ann","personalize":false)");
  EXPECT_EQ(asked.at("personalized"), false);
  EXPECT_EQ(asked.at("coupons").at(0).at("personalized_offer"), false);
  EXPECT_EQ(offers_in(asked), offers_in(coupons_for(R"("user_id":"never-seen")")));
  ok(ask({"PATCH", "/v1/users/ann", R"({"personalize":false})", {}}));
  EXPECT_EQ(coupons_for(R"("user_id":"ann")").at("personalized"), false);
}

TEST_F(CouponRecommendationsTest, WhatIsClaimedIsShownWithItsCode) {
  const json::value grant = ok(post("/v1/coupons/claim", R"({"offer":"clothes","user_id":"ann"})"));
  const json::value shown = coupons_for(R"("user_id":"ann")");
  for (const json::value& coupon : shown.at("coupons").as_array()) {
    const bool is_hers = coupon.at("offer") == "clothes";
    EXPECT_EQ(coupon.at("to_be_claimed"), !is_hers);
    EXPECT_EQ(coupon.at("code"), is_hers ? grant.at("code") : json::value());
  }
}

TEST_F(CouponRecommendationsTest, WrongCallsAreRefusedByTheirField) {
  const auto refused = [&](std::string body) {
    return failure(post("/v1/coupons/recommendations", std::move(body)));
  };
  EXPECT_THAT(refused(R"({"limit":10})"), HasSubstr("400 invalid_argument limit"));
  EXPECT_THAT(refused(R"({"currency":"euro"})"), HasSubstr("400 invalid_argument currency"));
  EXPECT_THAT(refused(R"({"cart":[]})"), HasSubstr("cart is not a field here"));
}

TEST_F(CouponRecommendationsTest, HoldoutsAreShownNothingGrantedNothingAndRefusedNoCode) {
  campaign("autumn", 0.5);
  offer("leaves", R"("priority":0)", "autumn");
  ok(put_json("/v1/offers/gift", R"({"campaign":"autumn","trigger":"granted",
    "effect":{"kind":"full_reduction"},"amounts":{"*":{"currency":"EUR","tiers":[{"threshold":"40.00","off":"5.00"}]}}})"));
  ok(put_json("/v1/offers/known", R"({"campaign":"autumn","code":"KNOWN",
    "effect":{"kind":"full_reduction"},"amounts":{"*":{"currency":"EUR","tiers":[{"threshold":"40.00","off":"5.00"}]}}})"));
  std::string ids;
  for (int i = 0; i < 40; ++i) ids += fmt::format(R"({}"p{}")", i == 0 ? "" : ",", i);
  const json::value given =
      ok(post("/v1/grants", fmt::format(R"({{"offer":"gift","user_ids":[{}]}})", ids)));
  std::set<bool> seen;
  for (const json::value& one : given.at("grants").as_array()) {
    const bool is_held = one.at("grant").is_null();
    const std::string user(one.at("user_id").as_string());
    if (is_held) {
      EXPECT_EQ(one.at("reason"), "HOLDOUT");
    }
    const auto shown = offers_in(coupons_for(fmt::format(R"("user_id":"{}")", user)));
    EXPECT_EQ(std::ranges::find(shown, "leaves") == shown.end(), is_held) << user;
    const Response redeemed = post("/v1/redemptions", fmt::format(R"({{"order_id":"o-{}",
      "user_id":"{}","currency":"EUR","coupons":["KNOWN"],
      "lines":[{{"product_id":"dress","unit_price":"80.00"}}]}})",
                                                                  user, user));
    EXPECT_EQ(redeemed.status, 200) << redeemed.body;
    seen.insert(is_held);
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(CouponRecommendationsTest, LevelsAreThoseThatTheShopsRulesGive) {
  offer("gold", R"("conditions":{"levels":["gold"]})");
  EXPECT_THAT(offers_in(coupons_for(R"("user_id":"ann")")),
              UnorderedElementsAre("beauty", "clothes", "gold"));
  ok(post("/v1/identify", R"({"userId":"bob","traits":{"level":"gold"}})"));
  EXPECT_THAT(offers_in(coupons_for(R"("user_id":"bob")")),
              UnorderedElementsAre("beauty", "clothes"));
}

TEST_F(CouponRecommendationsTest, ACampaignThatHasNotBegunSaysWhatItCouldShow) {
  ok(put_json("/v1/campaigns/later", R"({"window":{"start":"2027-06-01T00:00:00Z"}})"));
  const json::value effect = ok(get("/v1/campaigns/later")).at("detectable_effect");
  EXPECT_EQ(effect.at("people"), 1);
  EXPECT_TRUE(effect.at("relative").is_null());
  std::string events;
  for (int i = 0; i < 400; ++i) {
    events +=
        fmt::format(R"({}{{"type":"{}","user_id":"p{}","product_id":"dress","order_id":"{}"}})",
                    i == 0 ? "" : ",", i % 4 == 0 ? "purchase" : "view", i,
                    i % 4 == 0 ? fmt::format("x-{}", i) : "");
  }
  ok(post("/v1/events", fmt::format(R"({{"events":[{}]}})", events)));
  const json::value tried =
      ok(put_json("/v1/campaigns/later?validate_only=true", R"({"holdout":{"share":0.5}})"));
  EXPECT_EQ(tried.at("detectable_effect").at("people"), 401);
  EXPECT_NEAR(tried.at("detectable_effect").at("conversion").as_double(), 0.2519, 1e-4);
  // 2.8 x sqrt(p (1 - p) (1/200.5 + 1/200.5)) / p
  EXPECT_NEAR(tried.at("detectable_effect").at("relative").as_double(), 0.482, 0.002);
  EXPECT_THAT(std::string(tried.at("detectable_effect").at("text").as_string()),
              HasSubstr("48 % more or fewer"));
  EXPECT_FALSE(ok(get("/v1/campaigns/spring")).as_object().contains("detectable_effect"));
}

}  // namespace
}  // namespace vitrine::http
