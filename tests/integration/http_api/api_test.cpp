// Every route on the real parts, asked in process: what it takes, what it answers, what it refuses.
#include <gmock/gmock.h>

#include <optional>
#include <set>
#include <string>

#include "base/crypto.h"
#include "server/http/operations.h"
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

// Reads the contract's paths by their indentation: "  /v1/events:" and below it "    post:".
std::set<std::string> documented_routes() {
  std::set<std::string> routes;
  const std::set<std::string_view> methods = {"get", "put", "post", "patch", "delete"};
  std::string path;
  std::string_view text = openapi_yaml();
  text = text.substr(text.find("\npaths:\n") + 8);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line[0] != ' ') break;
    if (!line.ends_with(':')) continue;
    line.remove_suffix(1);
    if (line.starts_with("  /")) path = line.substr(2);
    if (line.starts_with("    ") && methods.contains(line.substr(4))) {
      std::string method(line.substr(4));
      for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
      routes.insert(method + " " + path);
    }
  }
  return routes;
}

TEST_F(ApiTest, TheContractAndTheRouterNameTheSameRoutes) {
  std::set<std::string> built;
  for (const RouteName& route : services_->router().routes()) {
    built.insert(route.method + " " + route.pattern);
  }
  EXPECT_GE(built.size(), 20U);
  EXPECT_EQ(built, documented_routes());
}

TEST_F(ApiTest, CollectsABatchAndSaysWhatBecameOfEachEvent) {
  const std::string batch = R"({"events":[
      {"event_id":"e1","type":"view","visitor_id":"v1","product_id":"p1"},
      {"event_id":"e2","type":"purchase","user_id":"u1","product_id":"p2","quantity":2,
       "price":"19.90","currency":"EUR","order_id":"o1"},
      {"event_id":"e3","type":"dance","visitor_id":"v1","product_id":"p1"}]})";
  const json::value first = ok(post("/v1/events", batch));
  EXPECT_EQ(first.at("accepted").as_int64(), 2);
  EXPECT_EQ(first.at("duplicates").as_int64(), 0);
  ASSERT_EQ(first.at("rejected").as_array().size(), 1U);
  EXPECT_EQ(first.at("rejected").as_array()[0].at("index").as_int64(), 2);
  EXPECT_EQ(first.at("rejected").as_array()[0].at("code").as_string(), "unknown_type");
  EXPECT_TRUE(first.at("token").is_string());

  const json::value again = ok(post("/v1/events", batch));
  EXPECT_EQ(again.at("accepted").as_int64(), 0);
  EXPECT_EQ(again.at("duplicates").as_int64(), 2);

  const json::value kept = ok(get("/v1/quarantine?limit=1"));
  EXPECT_EQ(kept.at("size").as_int64(), 2);
  ASSERT_EQ(kept.at("events").as_array().size(), 1U);
  EXPECT_THAT(std::string(kept.at("events").as_array()[0].at("raw").as_string()),
              HasSubstr("dance"));
  const std::string cursor(kept.at("cursor").as_string());
  const json::value earlier = ok(get("/v1/quarantine?limit=1&cursor=" + cursor));
  EXPECT_EQ(earlier.at("events").as_array().size(), 1U);
  EXPECT_NE(earlier.at("events").as_array()[0].at("number"),
            kept.at("events").as_array()[0].at("number"));
  EXPECT_EQ(earlier.at("cursor"), nullptr);
}

TEST_F(ApiTest, RefusesBodiesThatAreNoBatch) {
  for (const std::string_view body : {"", "[]", "{}", R"({"events":7})", R"({"event":[]})"}) {
    EXPECT_THAT(failure(post("/v1/events", std::string(body))),
                ::testing::StartsWith("400 invalid_argument"))
        << body;
  }
}

TEST_F(ApiTest, ImportsKeepTheirTimesAndTheirOwnIds) {
  const std::string batch = R"({"events":[{"event_id":"e1","type":"purchase","user_id":"u1",
      "product_id":"p1","time":"2010-12-01T08:26:00Z"}]})";
  EXPECT_EQ(ok(post("/v1/import/events?source=shop", batch)).at("accepted").as_int64(), 1);
  EXPECT_EQ(ok(post("/v1/import/events?source=shop", batch)).at("duplicates").as_int64(), 1);
  EXPECT_EQ(ok(post("/v1/import/events?source=other", batch)).at("accepted").as_int64(), 1);
  const json::value user = ok(get("/v1/users/u1"));
  EXPECT_EQ(user.at("recent").as_array()[0].at("time").as_string(), "2010-12-01T08:26:00Z");
}

TEST_F(ApiTest, KnowsAUserByWhatTheyDid) {
  EXPECT_EQ(failure(get("/v1/users/u1")), "404 not_found: there is no user u1");
  ok(post("/v1/events", R"({"events":[
      {"event_id":"e1","type":"view","visitor_id":"v1","user_id":"u1","product_id":"p1"},
      {"event_id":"e2","type":"purchase","user_id":"u1","product_id":"p2","order_id":"o1"}]})"));
  const json::value user = ok(get("/v1/users/u1"));
  EXPECT_EQ(user.at("visitors").as_array().at(0).as_string(), "v1");
  EXPECT_EQ(user.at("computed").at("orders_count").as_int64(), 1);
  EXPECT_EQ(user.at("computed").at("events_count").as_int64(), 2);
  EXPECT_EQ(user.at("computed").at("last_order_at").as_string(), "2026-11-21T10:00:00Z");
  EXPECT_EQ(user.at("recent").as_array().size(), 2U);
}

TEST_F(ApiTest, MakesReadsChangesAndRemovesAProduct) {
  const Response made = ask({"PUT",
                             "/v1/products/a%2Fb",
                             R"({"title":"Cake stand","price":"12.75","currency":"GBP",
                                 "categories":["Home > Kitchen"]})",
                             {}});
  EXPECT_EQ(made.status, 201);
  EXPECT_THAT(made.headers, Contains(Pair("ETag", "\"1\"")));
  const json::value product = ok(get("/v1/products/a%2Fb"));
  EXPECT_EQ(product.at("product_id").as_string(), "a/b");
  EXPECT_EQ(product.at("price").as_string(), "12.75");

  const json::value patched =
      ok(ask({"PATCH", "/v1/products/a%2Fb", R"({"price":"13","brand":"acme"})", {}}));
  EXPECT_EQ(patched.at("price").as_string(), "13.00");
  EXPECT_EQ(patched.at("title").as_string(), "Cake stand") << "what is not named stays";
  EXPECT_EQ(patched.at("version").as_int64(), 2);

  EXPECT_EQ(ask({"DELETE", "/v1/products/a%2Fb", "", {}}).status, 204);
  EXPECT_EQ(get("/v1/products/a%2Fb").status, 404);
  EXPECT_EQ(ask({"DELETE", "/v1/products/a%2Fb", "", {}}).status, 404);
  EXPECT_EQ(ask({"PATCH", "/v1/products/a%2Fb", R"({"price":"13"})", {}}).status, 404);
}

TEST_F(ApiTest, RefusesAChangeMadeFromAnotherVersion) {
  put("p1", "One");
  const auto change = [&](std::string version) {
    return ask({"PATCH", "/v1/products/p1", R"({"title":"Two"})", {{"If-Match", version}}});
  };
  EXPECT_EQ(failure(change("\"7\"")),
            "409 conflict: If-Match expects version 7, the product has version 1");
  EXPECT_EQ(change("x").status, 400);
  EXPECT_EQ(change("\"1\"").status, 200);
  EXPECT_EQ(change("\"1\"").status, 409) << "version 2 by now";
  EXPECT_EQ(change("*").status, 200);
}

TEST_F(ApiTest, RefusesProductsThatAreWrong) {
  const auto refused = [&](std::string body) {
    return failure(ask({"PUT", "/v1/products/p1", std::move(body), {}}));
  };
  EXPECT_THAT(refused(R"({"product_id":"p2","title":"x"})"),
              HasSubstr("product_id must be the path's, 'p1'"));
  EXPECT_THAT(refused(R"({"titel":"x"})"), HasSubstr("titel"));
  EXPECT_THAT(refused(R"({"title":"x","price":"cheap","currency":"EUR"})"), HasSubstr("price"));
  EXPECT_THAT(refused("[]"), HasSubstr("the body must be an object"));
  EXPECT_EQ(get("/v1/products/p1").status, 404);
}

TEST_F(ApiTest, UpsertsABatchAndNamesTheBadOnes) {
  const json::value outcome = ok(post("/v1/products/batch", R"({"products":[
      {"product_id":"p1","title":"One"},{"titel":"x"},{"product_id":"p3","title":"Three"},7,
      {"product_id":"p5","title":"Five","price":"1","currency":"nonsense"}]})"));
  EXPECT_EQ(outcome.at("upserted").as_int64(), 2);
  std::vector<std::int64_t> indexes;
  for (const json::value& bad : outcome.at("rejected").as_array()) {
    indexes.push_back(bad.at("index").as_int64());
  }
  EXPECT_EQ(indexes, (std::vector<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(get("/v1/products/p3").status, 200);
}

TEST_F(ApiTest, PagesThroughTheCatalog) {
  for (int i = 0; i < 25; ++i) put(fmt::format("p{}", i), "x");
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const json::value page =
        ok(get("/v1/products?limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    EXPECT_EQ(page.at("size").as_int64(), 25);
    for (const json::value& product : page.at("products").as_array()) {
      EXPECT_TRUE(seen.emplace(product.at("product_id").as_string()).second);
    }
    cursor = page.at("cursor").is_null() ? "" : std::string(page.at("cursor").as_string());
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(failure(get("/v1/products?cursor=q-5")), HasSubstr("400 invalid_argument cursor"));
  EXPECT_THAT(failure(get("/v1/products?limit=0")), HasSubstr("400 invalid_argument limit"));
}

TEST_F(ApiTest, BothFormsOfARecommendationAgree) {
  for (int i = 0; i < 5; ++i) put(fmt::format("p{}", i), fmt::format("Product {}", i));
  ok(post("/v1/events", R"({"events":[
      {"event_id":"e1","type":"purchase","user_id":"u1","product_id":"p1"},
      {"event_id":"e2","type":"purchase","user_id":"u2","product_id":"p1"},
      {"event_id":"e3","type":"purchase","user_id":"u3","product_id":"p2"}]})"));
  const json::value full = ok(post(
      "/v1/recommendations",
      R"({"placement":"home","visitor_id":"new","limit":4,"exclude":["p2"],"fields":["title"]})"));
  const json::value simple =
      ok(get("/v1/placements/home/products?visitor_id=new&limit=4&exclude=p2&fields=title"));
  EXPECT_EQ(full.at("products"), simple.at("products"));
  EXPECT_EQ(full.at("placement").as_string(), "home");
  EXPECT_EQ(full.at("model_version"), nullptr);
  ASSERT_FALSE(full.at("products").as_array().empty());
  const json::object& best = full.at("products").as_array()[0].as_object();
  EXPECT_EQ(best.at("product_id").as_string(), "p1");
  EXPECT_EQ(best.at("title").as_string(), "Product 1");
  EXPECT_FALSE(best.contains("price")) << "not among the fields asked for";
  EXPECT_TRUE(best.at("reason").as_object().contains("text"));
  for (const json::value& product : full.at("products").as_array()) {
    EXPECT_NE(product.at("product_id").as_string(), "p2") << "excluded";
  }
}

TEST_F(ApiTest, AnAnswerThatIsShortSaysWhy) {
  put("p1", "One");
  const json::value answer =
      ok(post("/v1/recommendations", R"({"placement":"home","limit":50,"explain":true})"));
  EXPECT_EQ(answer.at("shortfall").at("requested").as_int64(), 50);
  EXPECT_EQ(answer.at("shortfall").at("returned").to_number<std::size_t>(),
            answer.at("products").as_array().size());
  EXPECT_TRUE(answer.at("timing_us").as_object().contains("total"));
}

TEST_F(ApiTest, RefusesRecommendationsThatAreWrong) {
  const auto refused = [&](std::string rest) {
    return failure(post("/v1/recommendations", R"({"placement":"home")" + rest + "}"));
  };
  EXPECT_THAT(refused(R"(,"filter":"price < ")"), HasSubstr("400 invalid_argument filter"));
  EXPECT_THAT(refused(R"(,"boost":"price < 50")"), HasSubstr("400 invalid_argument boost"));
  EXPECT_EQ(refused(R"(,"limit":900)"),
            "400 invalid_argument limit: limit must be between 1 and 200, got 900");
  EXPECT_THAT(refused(R"(,"fields":["colour"])"), HasSubstr("400 invalid_argument fields"));
  EXPECT_THAT(refused(R"(,"context":{"produkt":"p1"})"), HasSubstr("context.produkt"));
  EXPECT_THAT(refused(R"(,"after":"yesterday")"), HasSubstr("400 invalid_argument after"));
  EXPECT_THAT(refused(R"(,"nonsense":1)"), HasSubstr("nonsense is not a field here"));
  EXPECT_THAT(failure(post("/v1/recommendations", R"({"placement":"nowhere"})")),
              HasSubstr("404 not_found"));
  EXPECT_THAT(failure(get("/v1/placements/home/products?filter=x")),
              HasSubstr("400 invalid_argument filter"));
  EXPECT_THAT(failure(get("/v1/placements/home/products?limt=5")), HasSubstr("limt"));
}

TEST_F(ApiTest, ListsPlacements) {
  std::vector<std::string> names;
  const json::value placements = ok(get("/v1/placements"));
  for (const json::value& placement : placements.at("placements").as_array()) {
    names.emplace_back(placement.at("placement").as_string());
  }
  EXPECT_THAT(names, IsSupersetOf({"home", "product_page", "cart"}));
}

TEST_F(ApiTest, SaysThatThereIsNoModelYet) {
  const json::value models = ok(get("/v1/models"));
  EXPECT_EQ(models.at("live_version"), nullptr);
  EXPECT_TRUE(models.at("models").as_array().empty());
  EXPECT_THAT(failure(post("/v1/models/20260101T000000Z-abcd/promote", "")),
              HasSubstr("404 not_found"));
  EXPECT_THAT(failure(post("/v1/models/rollback", "")), HasSubstr("422 refused"));
  EXPECT_EQ(ok(post("/v1/models/refresh", "")).at("live_version"), nullptr);
}

TEST_F(ApiTest, CountsWhatThereIs) {
  put("p1", "One");
  EXPECT_EQ(ok(get("/v1/stats")).at("products").as_int64(), 1);
}

TEST_F(ApiTest, AKeyOpensItsScopesUntilItIsRevokedAlsoAcrossRestarts) {
  open(app::Access::by_key);
  const json::value made = ok(
      post("/v1/keys", R"({"name":"web","scopes":["recommend"],"origins":["https://a.example"]})"));
  const std::string key(made.at("key").as_string());
  const std::string id(made.at("id").as_string());
  const auto with_key = [&](std::string target) {
    return ask({"GET", std::move(target), "", {{"Authorization", "Bearer " + key}}}, false).status;
  };
  EXPECT_EQ(with_key("/v1/placements"), 200);
  EXPECT_EQ(ask({"GET", "/v1/placements?key=" + key, "", {}}, false).status, 200);
  EXPECT_EQ(with_key("/v1/stats"), 403);
  EXPECT_EQ(ask({"GET", "/v1/placements", "", {}}, false).status, 401);

  open(app::Access::by_key);
  EXPECT_EQ(with_key("/v1/placements"), 200) << "kept on disk";
  const json::value keys = ok(get("/v1/keys"));
  ASSERT_EQ(keys.at("keys").as_array().size(), 1U);
  const json::object& listed = keys.at("keys").as_array()[0].as_object();
  EXPECT_EQ(listed.at("id").as_string(), id);
  EXPECT_EQ(listed.at("name").as_string(), "web");
  EXPECT_FALSE(listed.contains("key")) << "shown once";

  EXPECT_EQ(ask({"DELETE", "/v1/keys/" + id, "", {}}).status, 204);
  EXPECT_EQ(with_key("/v1/placements"), 401);
  EXPECT_EQ(ask({"DELETE", "/v1/keys/" + id, "", {}}).status, 404);
  open(app::Access::by_key);
  EXPECT_EQ(with_key("/v1/placements"), 401);
}

TEST_F(ApiTest, RefusesKeysWithoutScopesOrWithUnknownOnes) {
  EXPECT_THAT(failure(post("/v1/keys", "{}")), HasSubstr("400 invalid_argument scopes"));
  EXPECT_THAT(failure(post("/v1/keys", R"({"scopes":["everything"]})")),
              HasSubstr("400 invalid_argument scopes"));
}

}  // namespace
}  // namespace vitrine::http
