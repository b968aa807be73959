// Placements as stored objects, and what came of what they showed.
#include <gmock/gmock.h>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

class PlacementsApiTest : public ApiTest {
 protected:
  Response put_placement(std::string name, std::string body, std::string if_match = {}) {
    Asked asked{"PUT", "/v1/placements/" + name, std::move(body), {}};
    if (!if_match.empty()) asked.headers.emplace_back("If-Match", if_match);
    return ask(asked);
  }
};

TEST_F(PlacementsApiTest, AChangeIsInTheNextAnswerAndOutlivesARestart) {
  put("p1", "One");
  const Response made =
      put_placement("footer", R"({"description":"Below","sources":[{"source":"new","weight":2}]})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.headers, Contains(Pair("ETag", "\"2\"")));
  const json::value answer = ok(get("/v1/placements/footer/products"));
  EXPECT_EQ(answer.at("placement_version").as_int64(), 2);
  EXPECT_EQ(answer.at("products").as_array().at(0).at("source").as_string(), "new");

  open(app::Access::everybody);
  const json::value kept = ok(get("/v1/placements/footer"));
  EXPECT_EQ(kept.at("description").as_string(), "Below");
  EXPECT_EQ(kept.at("version").as_int64(), 2);
  EXPECT_EQ(kept.at("shipped"), false);
}

TEST_F(PlacementsApiTest, WhatWasReadCanBeWrittenBack) {
  const json::value home = ok(get("/v1/placements/home"));
  const json::value written = ok(put_placement("home", json::serialize(home)));
  json::object expected = home.as_object();
  expected["version"] = 2;
  EXPECT_EQ(written, json::value(expected));
}

TEST_F(PlacementsApiTest, DeletingAChangedShippedPlacementBringsItsDefaultBack) {
  const json::value shipped = ok(get("/v1/placements/home"));
  ok(put_placement("home", R"({"sources":[{"source":"popular"}]})"));
  EXPECT_EQ(ask({"DELETE", "/v1/placements/home", "", {}}).status, 204);
  EXPECT_EQ(ok(get("/v1/placements/home")), shipped);
  EXPECT_EQ(ok(put_placement("home", R"({"sources":[{"source":"new"}]})")).at("version").as_int64(),
            3)
      << "a version is never given twice";

  put_placement("footer", R"({"sources":[{"source":"popular"}]})");
  EXPECT_EQ(ask({"DELETE", "/v1/placements/footer", "", {}}).status, 204);
  EXPECT_EQ(get("/v1/placements/footer").status, 404);
  EXPECT_EQ(get("/v1/placements/footer/products").status, 404);
  EXPECT_EQ(ask({"DELETE", "/v1/placements/footer", "", {}}).status, 404);
}

TEST_F(PlacementsApiTest, RefusesAChangeMadeFromAnotherVersion) {
  const std::string body = R"({"sources":[{"source":"popular"}]})";
  EXPECT_EQ(failure(put_placement("home", body, "\"7\"")),
            "409 conflict: If-Match expects version 7, the placement has version 1");
  EXPECT_EQ(put_placement("home", body, "\"1\"").status, 200);
  EXPECT_EQ(put_placement("home", body, "\"1\"").status, 409);
  EXPECT_EQ(ask({"DELETE", "/v1/placements/home", "", {{"If-Match", "\"1\""}}}).status, 409);
  EXPECT_EQ(put_placement("home", body, "yesterday").status, 400);
}

TEST_F(PlacementsApiTest, ADryRunChecksEverythingAndChangesNothing) {
  const json::value before = ok(get("/v1/placements/home"));
  const json::value tried = ok(
      put_placement("home?validate_only=true", R"({"sources":[{"source":"popular"}]})", "\"1\""));
  EXPECT_EQ(tried.at("sources").as_array().size(), 1U);
  EXPECT_EQ(tried.at("version").as_int64(), 1);
  EXPECT_EQ(ok(get("/v1/placements/home")), before);
  EXPECT_EQ(put_placement("home?validate_only=true", R"({"sources":[]})").status, 400);
  EXPECT_EQ(
      put_placement("home?validate_only=true", R"({"sources":[{"source":"new"}]})", "\"9\"").status,
      409);
}

TEST_F(PlacementsApiTest, RefusesWhatCannotBeServedAndNamesTheField) {
  const auto refused = [&](std::string rest) {
    return failure(put_placement("footer", R"({"sources":[{"source":"new"}])" + rest + "}"));
  };
  EXPECT_THAT(failure(put_placement("footer", "{}")), HasSubstr("400 invalid_argument sources"));
  EXPECT_THAT(failure(put_placement("Footer!", R"({"sources":[{"source":"new"}]})")),
              HasSubstr("400 invalid_argument placement"));
  EXPECT_THAT(failure(put_placement("footer", R"({"sources":[{"source":"astrology"}]})")),
              HasSubstr("got 'astrology'"));
  EXPECT_THAT(refused(R"(,"fallback":["astrology"])"), HasSubstr("invalid_argument fallback"));
  EXPECT_THAT(refused(R"(,"filter":"brnd == 'acme'")"),
              HasSubstr("filter column 1: unknown name 'brnd'; did you mean 'brand'?"));
  EXPECT_THAT(refused(R"(,"filter":{"expression":"price < "})"),
              HasSubstr("filter.expression column 9: expected a value after '<'"));
  EXPECT_THAT(refused(R"(,"rules":[{"id":"a","kind":"boost","when":"price = 1"}])"),
              HasSubstr("rules[0].when column 7: unknown sign '=': write == to compare"));
  EXPECT_THAT(refused(R"(,"filter":{"price_max":"5"})"), HasSubstr("filter.currency is required"));
  EXPECT_THAT(refused(R"(,"rules":[{"id":"a","kind":"hide"}])"),
              HasSubstr("rules[0].kind must be pin, boost or bury"));
  EXPECT_THAT(refused(R"(,"rules":[{"id":"a","kind":"pin"}])"), HasSubstr("rules[0].when"));
  EXPECT_THAT(refused(R"(,"rules":[{"id":"a","kind":"boost","factor":1000}])"),
              HasSubstr("rules[0].factor must be between"));
  EXPECT_THAT(refused(R"(,"variety":{"diversity":2})"), HasSubstr("variety.diversity"));
  EXPECT_THAT(refused(R"(,"purchased":"never")"), HasSubstr("purchased must be one of show"));
  EXPECT_THAT(refused(R"(,"color":"red")"), HasSubstr("color is not a field here"));
  EXPECT_THAT(refused(R"(,"placement":"home")"), HasSubstr("must be the path's, 'footer'"));
}

TEST_F(PlacementsApiTest, ResultsFollowWhatWasShownFromServedToRevenue) {
  put("p1", "One");
  put("p2", "Two");
  const json::value shown = ok(get("/v1/placements/home/products?visitor_id=v1&limit=2"));
  const std::string id(shown.at("recommendation_id").as_string());
  const std::string product(shown.at("products").as_array().at(0).at("product_id").as_string());
  const auto about = [&](std::string_view type, std::string_view more) {
    return fmt::format(
        R"({{"type":"{}","visitor_id":"v1","product_id":"{}","recommendation_id":"{}"{}}})", type,
        product, id, more);
  };
  ok(post("/v1/events",
          fmt::format(R"({{"events":[{},{}]}})", about("impression", ""), about("click", ""))));
  ok(post("/v1/events",
          fmt::format(R"({{"events":[{{"type":"purchase","visitor_id":"v1","user_id":"u1",
                         "product_id":"{}","quantity":2,"price":"3.50","currency":"EUR",
                         "order_id":"o1"}}]}})",
                      product)));

  const json::value results = ok(get("/v1/placements/home/results"));
  const json::value& totals = results.at("totals");
  EXPECT_EQ(totals.at("served").as_int64(), 2);
  EXPECT_EQ(totals.at("impressions").as_int64(), 1);
  EXPECT_EQ(totals.at("clicks").as_int64(), 1);
  EXPECT_EQ(totals.at("click_through_rate").to_number<double>(), 1);
  EXPECT_EQ(totals.at("orders").as_int64(), 1) << "without an id, by the last click";
  EXPECT_EQ(totals.at("revenue").at("EUR").as_string(), "7.00");
  EXPECT_EQ(results.at("rows").as_array().at(0).at("day").as_string(), "2026-11-21");

  const json::value by = ok(get("/v1/placements/home/results?by=position,source&from=2026-11-21"));
  EXPECT_EQ(by.at("rows").as_array().size(), 2U);
  EXPECT_EQ(ok(get("/v1/placements/home/results?until=2026-11-20")).at("totals").at("served"), 0);

  open(app::Access::everybody);
  EXPECT_EQ(ok(get("/v1/placements/home/results")), results) << "also after a restart";
}

TEST_F(PlacementsApiTest, RefusesResultsOfNoDayAndOfNoPlacement) {
  EXPECT_THAT(failure(get("/v1/placements/home/results?from=tomorrow")),
              HasSubstr("400 invalid_argument from"));
  EXPECT_THAT(failure(get("/v1/placements/home/results?from=2026-11-21&until=2026-11-01")),
              HasSubstr("from must not be after until"));
  EXPECT_THAT(failure(get("/v1/placements/home/results?by=weather")), HasSubstr("got weather"));
  EXPECT_EQ(get("/v1/placements/nowhere/results").status, 404);
}

}  // namespace
}  // namespace vitrine::http
