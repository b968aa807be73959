// Coupons as a shop works with them: make an offer, give it, price a cart, redeem, take back.
#include <gmock/gmock.h>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class CouponsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(post("/v1/products/batch", R"({"products":[
      {"product_id":"dress","title":"Dress","categories":["Clothes"],"price":"80.00","currency":"EUR"},
      {"product_id":"cream","title":"Cream","categories":["Beauty"],"price":"30.00","currency":"EUR"}]})"));
    ok(put_json("/v1/campaigns/spring", R"({"state":"active","window":{"end":"2026-12-31",
      "time_zone":"Europe/Berlin"},"budgets":[{"measure":"discount","currency":"EUR","value":"50.00"}]})"));
    ok(put_json("/v1/offers/twenty", twenty("")));
  }

  Response put_json(std::string target, std::string body) {
    return ask({"PUT", std::move(target), std::move(body), {}});
  }
  static std::string twenty(std::string_view more) {
    return fmt::format(
        R"({{"campaign":"spring","code":"TWENTY","effect":{{"kind":"full_reduction"}},
      "amounts":{{"*":{{"currency":"EUR","tiers":[{{"threshold":"100.00","off":"20.00"}}]}}}}{}}})",
        more);
  }
  // A dress and a cream: 110.00.
  static std::string cart(std::string_view more) {
    return fmt::format(R"({{"currency":"EUR","lines":[
      {{"line_id":"a","product_id":"dress","unit_price":"80.00"}},
      {{"line_id":"b","product_id":"cream","unit_price":"30.00"}}]{}}})",
                       more);
  }
  Response redeem(std::string_view order, std::string_view more = "") {
    return post("/v1/redemptions",
                cart(fmt::format(R"(,"order_id":"{}","user_id":"ann","coupons":["twenty"]{})",
                                 order, more)));
  }
};

TEST_F(CouponsApiTest, WhatWasPutIsReadBackAndCanBeWrittenBack) {
  for (const std::string target : {"/v1/campaigns/spring", "/v1/offers/twenty"}) {
    const json::value first = ok(get(target));
    const Response again = put_json(target, json::serialize(first));
    EXPECT_EQ(again.status, 200) << again.body;
    json::value second = ok(again);
    EXPECT_GT(second.at("version").to_number<int>(), first.at("version").to_number<int>());
    second.as_object()["version"] = first.at("version");
    second.as_object()["changed_at"] = first.at("changed_at");
    EXPECT_EQ(second, first);
  }
  open(app::Access::everybody);
  EXPECT_EQ(ok(get("/v1/offers")).at("offers").as_array().size(), 1U);
  EXPECT_EQ(ok(get("/v1/campaigns/spring")).at("state"), "active");
}

TEST_F(CouponsApiTest, WhatIsWrongIsNamedWithItsFieldAndNothingIsStored) {
  EXPECT_EQ(failure(put_json("/v1/campaigns/x", R"({"window":{"time_zone":"Mars"}})")),
            "400 invalid_argument window.time_zone: window.time_zone must be a name of the IANA "
            "database as Europe/Berlin, got 'Mars'");
  EXPECT_THAT(failure(put_json("/v1/offers/x", twenty(R"(,"limits":[{"measure":"uses"}])"))),
              HasSubstr("limits[0].value"));
  EXPECT_THAT(failure(put_json("/v1/offers/x", twenty(""))),
              HasSubstr("code TWENTY is the one of"));
  EXPECT_THAT(failure(put_json("/v1/offers/x",
                               R"({"campaign":"none","effect":{"kind":"free_shipping"},
                                   "amounts":{"*":{"currency":"EUR"}}})")),
              HasSubstr("campaign none does not exist"));
  EXPECT_THAT(
      failure(put_json("/v1/offers/x", R"({"campaign":"spring","effect":{"kind":"gift"}})")),
      HasSubstr("effect.kind must be one of full_reduction, percent"));
  EXPECT_EQ(failure(ask({"DELETE", "/v1/campaigns/spring", "", {}})),
            "422 refused: campaign spring cannot be removed: it has the offer twenty");
  EXPECT_EQ(put_json("/v1/campaigns/y?validate_only=true", R"({"state":"draft"})").status, 200);
  EXPECT_EQ(get("/v1/campaigns/y").status, 404);
}

TEST_F(CouponsApiTest, ACartIsPricedAndWhatIsMissingIsSaid) {
  const json::value priced =
      ok(post("/v1/coupons/validate", cart(R"(,"coupons":["TWENTY","NO"])")));
  EXPECT_EQ(priced.at("discount"), "20.00");
  EXPECT_EQ(priced.at("payable"), "90.00");
  EXPECT_EQ(priced.at("lines").at(0).at("net"), "65.45");
  EXPECT_EQ(priced.at("lines").at(1).at("net"), "24.55");
  EXPECT_EQ(priced.at("denied").at(0).at("reason"), "UNKNOWN_CODE");
  const json::value short_one =
      ok(post("/v1/coupons/validate", R"({"currency":"EUR","coupons":["TWENTY"],
      "lines":[{"product_id":"dress","unit_price":"88.00"}]})"));
  EXPECT_EQ(short_one.at("denied").at(0).at("reason"), "MIN_SPEND");
  EXPECT_EQ(short_one.at("denied").at(0).at("missing"), "12.00");
  EXPECT_EQ(short_one.at("denied").at(0).at("unlocks"), "20.00");
}

TEST_F(CouponsApiTest, ABudgetHoldsAndTheFunnelSaysWhy) {
  const Response first = redeem("o-1");
  EXPECT_EQ(ok(first).at("state"), "applied");
  EXPECT_EQ(redeem("o-1").body, first.body);
  EXPECT_EQ(failure(redeem("o-1", R"(,"channel":"app")")),
            "409 conflict: order o-1 was redeemed before with another request");
  ok(redeem("o-2"));
  const Response refused = redeem("o-3");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(failure(refused), HasSubstr("422 refused: twenty: BUDGET"));
  EXPECT_EQ(json::parse(refused.body).at("denied").at(0).at("reason"), "BUDGET");
  const json::value results = ok(get("/v1/offers/twenty/results"));
  EXPECT_EQ(results.at("uses").at("committed"), 2);
  EXPECT_EQ(results.at("discount").at("EUR").at("committed"), "40.00");
  EXPECT_EQ(results.at("denied").at("BUDGET"), 1);
}

TEST_F(CouponsApiTest, AHoldIsRedeemedReleasedOrFallsDue) {
  const auto held = [&](std::string_view ref) {
    return ok(post("/v1/coupons/validate",
                   cart(fmt::format(R"(,"coupons":["TWENTY"],"order_ref":"{}","hold_seconds":60)",
                                    ref))))
        .at("reservation");
  };
  const json::value first = held("o-1");
  const json::value second = held("o-2");
  const auto number = [](const json::value& one) { return one.at("reservation").to_number<int>(); };
  EXPECT_TRUE(held("o-3").is_null());
  EXPECT_EQ(ok(post(fmt::format("/v1/reservations/{}/release", number(first)), "{}")).at("state"),
            "released");
  EXPECT_FALSE(held("o-3").is_null());
  const json::value redeemed = ok(post(
      "/v1/redemptions", fmt::format(R"({{"order_id":"o-2","reservation":{}}})", number(second))));
  EXPECT_EQ(redeemed.at("discount"), "20.00");
  clock_.advance(k_minute_ms);
  ok(redeem("o-4"));
}

TEST_F(CouponsApiTest, PeopleAreGivenCouponsSeeThemAndUseThem) {
  ok(put_json("/v1/offers/present",
              R"({"campaign":"spring","trigger":"granted","guarantee":"honoured",
      "effect":{"kind":"percent","percent_off":10},"validity":{"days_after_grant":7},
      "amounts":{"*":{"currency":"EUR","max_discount":"8.00"}}})"));
  ok(put_json("/v1/offers/taken", R"({"campaign":"spring","trigger":"claimed",
      "effect":{"kind":"full_reduction"},"conditions":{"products":"\"Beauty\" in categories"},
      "amounts":{"*":{"currency":"EUR","tiers":[{"threshold":"50.00","off":"5.00"}]}}})"));
  const json::value given =
      ok(post("/v1/grants", R"({"offer":"present","round":"may","user_ids":["ann","bob"]})"));
  const std::string code(given.at("grants").at(0).at("grant").at("code").as_string());
  const json::value seen =
      ok(post("/v1/coupons/qualify", cart(R"(,"user_id":"ann")"))).at("coupons");
  ASSERT_EQ(seen.as_array().size(), 2U);
  EXPECT_EQ(seen.at(0).at("code").as_string().c_str(), code);
  EXPECT_EQ(seen.at(0).at("discount"), "8.00");
  EXPECT_EQ(seen.at(1).at("offer"), "taken");
  EXPECT_EQ(seen.at(1).at("to_be_claimed"), true);
  EXPECT_EQ(seen.at(1).at("denial").at("missing"), "20.00");
  EXPECT_EQ(post("/v1/coupons/claim", R"({"offer":"taken","user_id":"ann"})").status, 201);
  EXPECT_EQ(post("/v1/coupons/claim", R"({"offer":"taken","user_id":"ann"})").status, 200);
  EXPECT_EQ(ok(get("/v1/grants?user_id=ann")).at("grants").as_array().size(), 2U);
  const json::value used =
      ok(post("/v1/redemptions",
              cart(fmt::format(R"(,"order_id":"o-1","user_id":"ann","coupons":["{}"])", code))));
  EXPECT_EQ(used.at("discount"), "8.00");
  const json::value back = ok(post("/v1/redemptions/o-1/return", R"({"return_id":"r-1",
      "lines":[{"line_id":"b","quantity":1}]})"));
  EXPECT_EQ(back.at("refund"), "27.82");  // 30.00 less its 2.18 of the discount
  EXPECT_EQ(ok(get("/v1/redemptions/o-1")).at("state"), "partly_returned");
}

TEST_F(CouponsApiTest, AnAudienceLeavesOthersOut) {
  ok(put_json("/v1/campaigns/spring", R"({"state":"active","audience":"user.orders_count > 0"})"));
  EXPECT_THAT(failure(redeem("o-1")), HasSubstr("SEGMENT"));
  ok(post("/v1/events", R"({"events":[{"type":"purchase","user_id":"ann","product_id":"dress",
      "price":"80.00","currency":"EUR","order_id":"p-1"}]})"));
  ok(redeem("o-1"));
}

TEST_F(CouponsApiTest, WhoGuessesCodesIsAnsweredNoMore) {
  const auto guess = [&](std::string_view code) {
    return post("/v1/coupons/validate",
                cart(fmt::format(R"(,"user_id":"eve","coupons":["{}"])", code)));
  };
  for (int i = 0; i < 20; ++i) ok(guess(fmt::format("GUESS{}", i)));
  EXPECT_EQ(guess("TWENTY").status, 429);
  clock_.advance(10 * k_minute_ms);
  EXPECT_EQ(ok(guess("TWENTY")).at("discount"), "20.00");
}

}  // namespace
}  // namespace vitrine::http
