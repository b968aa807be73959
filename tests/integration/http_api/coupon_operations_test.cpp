// Coupons day by day: given to many, taken over from elsewhere, counted when refused; points.
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class CouponOperationsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(put_json("/v1/campaigns/spring", R"({"state":"active","holdout":{"share":0}})"));
    ok(put_json("/v1/offers/five", five(R"("trigger":"granted")")));
  }
  Response put_json(std::string target, std::string body) {
    return ask({"PUT", std::move(target), std::move(body), {}});
  }
  static std::string five(std::string_view more) {
    return fmt::format(R"({{"campaign":"spring","effect":{{"kind":"full_reduction"}},
      "amounts":{{"*":{{"currency":"EUR","tiers":[{{"threshold":"30.00","off":"5.00"}}]}}}},{}}})",
                       more);
  }
  json::value finished(const json::value& job) {
    const std::string path = "/v1/grants/jobs/" + json::serialize(job.at("job"));
    for (int look = 0; look < 1000; ++look) {
      json::value now = ok(get(path));
      if (now.at("state") != "running") return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return job;
  }
};

TEST_F(CouponOperationsTest, EverybodyInASegmentIsGivenOneOnceARound) {
  ok(put_json("/v1/segments/friends", R"({"kind":"static"})"));
  for (const char* user : {"ann", "bob", "cy"}) {
    ok(post("/v1/events", fmt::format(R"({{"events":[{{"type":"view","user_id":"{}",
        "product_id":"p"}}]}})",
                                      user)));
  }
  ok(post("/v1/segments/friends/members", R"({"add":["ann","bob"]})"));
  const Response begun = post("/v1/grants/jobs", R"({"offer":"five","segment":"friends"})");
  EXPECT_EQ(begun.status, 202) << begun.body;
  const json::value done = finished(json::parse(begun.body));
  EXPECT_EQ(done.at("state"), "done");
  EXPECT_EQ(done.at("granted"), 2);
  EXPECT_EQ(ok(get("/v1/grants?user_id=ann")).at("grants").as_array().size(), 1U);
  EXPECT_EQ(ok(get("/v1/grants?user_id=cy")).at("grants").as_array().size(), 0U);
  const json::value again = finished(
      json::parse(post("/v1/grants/jobs", R"({"offer":"five","user_ids":["ann","dee"]})").body));
  EXPECT_EQ(again.at("granted"), 1);
  EXPECT_EQ(again.at("had_it"), 1);
  EXPECT_EQ(ok(get("/v1/grants/jobs")).at("jobs").as_array().size(), 2U);
}

TEST_F(CouponOperationsTest, WhatAJobCannotDoIsSaid) {
  EXPECT_EQ(failure(post("/v1/grants/jobs", R"({"offer":"five","segment":"none"})")),
            "404 not_found: there is no segment none");
  EXPECT_THAT(failure(post("/v1/grants/jobs", R"({"offer":"five"})")),
              HasSubstr("segment or user_ids must be given, and not both"));
  EXPECT_EQ(failure(get("/v1/grants/jobs/77")), "404 not_found: there is no job 77");
  EXPECT_THAT(failure(get("/v1/grants/jobs/x")), HasSubstr("job must be its number"));
  EXPECT_EQ(failure(post("/v1/grants/jobs/77/pause", "")), "404 not_found: there is no job 77");
}

TEST_F(CouponOperationsTest, WhatAnotherSystemGaveIsTakenOver) {
  const json::value taken = ok(post("/v1/import/grants", R"({"grants":[
      {"offer":"five","user_id":"ann","granted_at":"2026-01-01","valid_until":"2026-02-01"},
      {"offer":"five","user_id":"bob","granted_at":"2026-01-01","valid_until":"2025-02-01"},
      {"offer":"six","user_id":"bob","granted_at":"2026-01-01","valid_until":"2026-02-01"}]})"));
  EXPECT_EQ(taken.at("accepted"), 1);
  ASSERT_EQ(taken.at("rejected").as_array().size(), 2U);
  EXPECT_EQ(taken.at("rejected").at(0).at("index"), 1);
  EXPECT_EQ(taken.at("rejected").at(0).at("message"),
            "grants[1].valid_until must be after granted_at");
  EXPECT_EQ(taken.at("rejected").at(1).at("message"), "there is no offer six");
  const std::string_view redemptions = R"({"redemptions":[{"order_id":"o-1","offer":"five",
      "user_id":"ann","redeemed_at":"2026-01-05","currency":"EUR","discount":"5.00"}]})";
  EXPECT_EQ(ok(post("/v1/import/redemptions", std::string(redemptions))).at("accepted"), 1);
  EXPECT_EQ(ok(post("/v1/import/redemptions", std::string(redemptions))).at("duplicates"), 1);
  EXPECT_EQ(ok(get("/v1/grants?user_id=ann")).at("grants").at(0).at("state"), "redeemed");
  EXPECT_EQ(ok(get("/v1/redemptions/o-1")).at("discount"), "5.00");
}

TEST_F(CouponOperationsTest, RefusalsAreCountedAcrossARestartAndByDay) {
  ok(put_json("/v1/offers/code", five(R"("code":"FIVE")")));
  const auto refuse = [&](std::string_view order) {
    return post("/v1/redemptions", fmt::format(R"({{"order_id":"{}","currency":"EUR",
        "coupons":["FIVE"],"lines":[{{"product_id":"p","unit_price":"20.00"}}]}})",
                                               order));
  };
  EXPECT_EQ(refuse("o-1").status, 422);
  EXPECT_EQ(refuse("o-2").status, 422);
  open(app::Access::everybody);
  EXPECT_EQ(refuse("o-3").status, 422);
  EXPECT_EQ(ok(get("/v1/offers/code/results")).at("denied").at("MIN_SPEND"), 3);
  EXPECT_EQ(ok(get("/v1/offers/code/results?from=2020-01-01")).at("denied").at("MIN_SPEND"), 3);
  EXPECT_EQ(ok(get("/v1/offers/code/results?until=2020-01-01")).at("denied").as_object().size(),
            0U);
  EXPECT_THAT(failure(get("/v1/offers/code/results?from=soon")), HasSubstr("from"));
}

TEST_F(CouponOperationsTest, PointsAreGivenSpentAndShown) {
  EXPECT_EQ(ok(get("/v1/users/ann/points")).at("balance"), 0);
  EXPECT_EQ(ok(post("/v1/users/ann/points", R"({"points":100,"reference":"hello",
      "expires_at":"2099-01-01"})"))
                .at("balance"),
            100);
  EXPECT_EQ(ok(post("/v1/users/ann/points", R"({"points":-40,"reference":"mug"})")).at("balance"),
            60);
  EXPECT_EQ(failure(post("/v1/users/ann/points", R"({"points":-61,"reference":"cap"})")),
            "422 refused: 60 points are there, 61 are wanted");
  EXPECT_THAT(failure(post("/v1/users/ann/points", R"({"points":0,"reference":"x"})")),
              HasSubstr("must be above 0 to give, or below 0 to spend"));
  const json::value now = ok(get("/v1/users/ann/points"));
  EXPECT_EQ(now.at("balance"), 60);
  EXPECT_EQ(now.at("lots").at(0).at("expires_at"), "2099-01-01T00:00:00Z");
  EXPECT_EQ(now.at("entries").at(1).at("change"), -40);
}

}  // namespace
}  // namespace vitrine::http
