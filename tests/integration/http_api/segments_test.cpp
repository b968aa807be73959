// Segments as marketing works with them: say who is meant, see how many, see who, use and change
// it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class SegmentsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(post("/v1/products/batch",
            R"({"products":[{"product_id":"boot","title":"Boot","categories":["Shoes"]}]})"));
    ok(post("/v1/events", R"({"events":[
      {"type":"purchase","user_id":"ann","product_id":"boot","price":"150.00","currency":"EUR","quantity":2,"order_id":"o-1"},
      {"type":"purchase","user_id":"bob","product_id":"boot","price":"20.00","currency":"EUR","order_id":"o-2"},
      {"type":"view","user_id":"cy","product_id":"boot"},
      {"type":"view","visitor_id":"v-1","product_id":"boot"}]})"));
  }

  Response put_segment(std::string_view key, std::string body) {
    return ask({"PUT", fmt::format("/v1/segments/{}", key), std::move(body), {}});
  }
  // A segment is built in the background: waits until it is, at most some seconds.
  json::value live(std::string_view key) {
    for (int i = 0; i < 500; ++i) {
      json::value segment = ok(get(fmt::format("/v1/segments/{}", key)));
      if (segment.at("state").as_string() == "live") return segment;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << key << " was never built";
    return {};
  }
  std::vector<std::string> members(std::string_view key, std::string_view more = "") {
    std::vector<std::string> ids;
    const json::value page = ok(get(fmt::format("/v1/segments/{}/members{}", key, more)));
    for (const json::value& member : page.at("members").as_array()) {
      ids.emplace_back(member.as_object().begin()->value().as_string());
    }
    return ids;
  }
  // Events reach members behind the log.
  void wait_for_size(std::string_view key, std::int64_t size) {
    for (int i = 0; i < 500; ++i) {
      if (live(key).at("size").to_number<std::int64_t>() == size) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << key << " never had " << size;
  }
};

TEST_F(SegmentsApiTest, ASegmentIsMadeCountedListedAndFollowed) {
  const Response made = put_segment(
      "spenders", R"j({"name":"Spenders","expression":"sum(\"purchase\", \"90d\") > 100"})j");
  EXPECT_EQ(made.status, 201) << made.body;
  const json::value segment = live("spenders");
  EXPECT_EQ(segment.at("size"), 1);
  EXPECT_EQ(segment.at("kind"), "dynamic");
  EXPECT_THAT(members("spenders"), ElementsAre("ann"));

  ok(post("/v1/events", R"({"events":[{"type":"purchase","user_id":"bob","product_id":"boot",
      "price":"90.00","currency":"EUR","order_id":"o-3"}]})"));
  wait_for_size("spenders", 2);
  EXPECT_THAT(members("spenders"), UnorderedElementsAre("ann", "bob"));
  clock_.advance(91 * k_day_ms);
  wait_for_size("spenders", 0);
}

TEST_F(SegmentsApiTest, VisitorsAreInByChoiceOnly) {
  put_segment("lookers", R"j({"expression":"count_in(\"view\", \"Shoes\", \"7d\") > 0"})j");
  put_segment("all-lookers",
              R"j({"expression":"count(\"view\", \"7d\") > 0","include_visitors":true})j");
  live("lookers");
  live("all-lookers");
  EXPECT_THAT(members("lookers"), ElementsAre("cy"));
  EXPECT_THAT(members("all-lookers"), UnorderedElementsAre("cy", "v-1"));
  const json::value overlap = ok(get("/v1/segments/lookers/overlap/all-lookers"));
  EXPECT_EQ(overlap.at("both"), 1);
  EXPECT_EQ(overlap.at("either"), 2);
}

TEST_F(SegmentsApiTest, APreviewTellsHowManyBeforeAnythingIsStored) {
  const json::value found =
      ok(post("/v1/segments/preview",
              R"j({"expression":"user.orders_count > 0 && user.net_spend < 200"})j"));
  EXPECT_EQ(found.at("matched"), 1);
  EXPECT_EQ(found.at("exact"), true);
  EXPECT_EQ(found.at("people"), 4);
  EXPECT_EQ(failure(post("/v1/segments/preview", R"j({"expression":"user.order_count > 0"})j")),
            "400 invalid_argument expression: expression column 1: unknown name "
            "'user.order_count'; did you mean 'user.orders_count'?");
  EXPECT_TRUE(ok(get("/v1/segments")).at("segments").as_array().empty());
}

TEST_F(SegmentsApiTest, PeopleArePutIntoAStaticSegmentAndASnapshotStays) {
  EXPECT_EQ(put_segment("hand", R"({"kind":"static"})").status, 201);
  EXPECT_EQ(ok(post("/v1/segments/hand/members", R"({"add":["ann","cy"]})")).at("changed"), 2);
  EXPECT_EQ(ok(post("/v1/segments/hand/members", R"({"remove":["ann"]})")).at("changed"), 1);
  EXPECT_THAT(members("hand"), ElementsAre("cy"));
  EXPECT_THAT(failure(post("/v1/segments/hand/members", R"({"add":["zoe"]})")), HasSubstr("zoe"));
  EXPECT_EQ(
      put_segment("then", R"j({"kind":"snapshot","expression":"user.orders_count > 0"})j").status,
      201);
  EXPECT_THAT(members("then"), UnorderedElementsAre("ann", "bob"));
  ok(post("/v1/events", R"({"events":[{"type":"purchase","user_id":"cy","product_id":"boot",
      "order_id":"o-9"}]})"));
  EXPECT_THAT(members("then"), UnorderedElementsAre("ann", "bob"));
  open(app::Access::everybody);
  EXPECT_THAT(members("then"), UnorderedElementsAre("ann", "bob")) << "after a restart";
  EXPECT_THAT(members("hand"), ElementsAre("cy"));
}

TEST_F(SegmentsApiTest, WhatIsUsedCannotBeRemovedAndAnOldVersionCannotBeChanged) {
  put_segment("buyers", R"j({"expression":"user.orders_count > 0"})j");
  put_segment("idle",
              R"j({"expression":"in_segment(\"buyers\") && count(\"view\", \"7d\") == 0"})j");
  const json::value buyers = live("buyers");
  EXPECT_EQ(buyers.at("used_by").as_array().at(0).at("segment"), "idle");
  EXPECT_THAT(failure(ask({"DELETE", "/v1/segments/buyers", "", {}})),
              HasSubstr("segment buyers cannot be removed: segment idle asks for it"));
  EXPECT_THAT(
      failure(ask(
          {"PUT", "/v1/segments/buyers", R"j({"expression":"true"})j", {{"If-Match", "\"77\""}}})),
      HasSubstr("409"));
  EXPECT_THAT(failure(put_segment("buyers", R"j({"expression":"in_segment(\"idle\")"})j")),
              HasSubstr("asks for itself"));
  EXPECT_EQ(ask({"DELETE", "/v1/segments/idle", "", {}}).status, 204);
  EXPECT_EQ(ask({"DELETE", "/v1/segments/buyers", "", {}}).status, 204);
  EXPECT_EQ(get("/v1/segments/buyers").status, 404);
}

TEST_F(SegmentsApiTest, MembersComeInPagesAsJsonLinesAndTables) {
  put_segment("all", R"j({"expression":"user.is_known"})j");
  live("all");
  const json::value page = ok(get("/v1/segments/all/members?limit=2"));
  EXPECT_EQ(page.at("members").as_array().size(), 2U);
  const std::string next(page.at("cursor").as_string());
  EXPECT_THAT(members("all", "?limit=2&cursor=" + next), ElementsAre("cy"));
  EXPECT_EQ(get("/v1/segments/all/members?format=csv").body,
            "user_id,visitor_id\nann,\nbob,\ncy,\n");
  EXPECT_EQ(get("/v1/segments/all/members?format=ndjson&limit=1").body, "{\"user_id\":\"ann\"}\n");
  EXPECT_THAT(failure(get("/v1/segments/all/members?limit=100001")), HasSubstr("limit"));
}

TEST_F(SegmentsApiTest, APersonsTagsSayWhereTheyComeFrom) {
  put_segment("spenders", R"j({"expression":"user.net_spend > 100"})j");
  ok(post("/v1/identify", R"({"userId":"ann","traits":{"country":"DE"}})"));
  const json::value ann = ok(get("/v1/users/ann"));
  EXPECT_EQ(ann.at("segments").as_array().at(0), "spenders");
  json::object tags;
  for (const json::value& tag : ann.at("tags").as_array()) tags[tag.at("name").as_string()] = tag;
  EXPECT_EQ(tags.at("user.net_spend").at("value"), 300);
  EXPECT_EQ(tags.at("user.net_spend").at("source"), "events");
  EXPECT_EQ(tags.at("user.country").at("value"), "DE");
  EXPECT_EQ(tags.at("user.traits.country").at("source"), "shop");
  EXPECT_EQ(tags.at("user.stage").at("value"), "new");
  EXPECT_FALSE(tags.contains("user.last_brand")) << "the product has none";
}

TEST_F(SegmentsApiTest, TheRfmViewCountsCustomersTheirSpendAndTheirMoves) {
  clock_.advance(40 * k_day_ms);
  ok(post("/v1/events", R"({"events":[{"type":"purchase","user_id":"cy","product_id":"boot",
      "price":"80.00","currency":"EUR","order_id":"o-9"}]})"));
  clock_.advance(k_day_ms);
  const json::value view = ok(get("/v1/analytics/rfm"));
  EXPECT_EQ(view.at("buyers"), 3);
  EXPECT_EQ(view.at("currency"), "EUR");
  EXPECT_EQ(view.at("spend").to_number<double>(), 400);
  std::int64_t people = 0;
  double share = 0;
  for (const json::value& cell : view.at("grid").as_array()) {
    people += cell.at("people").to_number<std::int64_t>();
    share += cell.at("spend_share").to_number<double>();
  }
  EXPECT_EQ(people, 3);
  EXPECT_NEAR(share, 1, 1e-9);
  const auto& moved = view.at("moved").as_array();
  EXPECT_TRUE(std::ranges::any_of(moved, [](const json::value& move) {
    return move.at("from") == "prospects" && move.at("to") == "new" && move.at("people") == 1;
  })) << json::serialize(moved);
  EXPECT_THAT(failure(get("/v1/analytics/rfm?as_of=2026-01-01&compared_to=2026-02-01")),
              HasSubstr("compared_to"));
}

// Each month beside the view that compares its two ends.
TEST_F(SegmentsApiTest, TheMonthsOfRfmAreWhatTheirEndsCompareTo) {
  for (int order = 0; order < 6; ++order) {
    clock_.advance(17 * k_day_ms);
    ok(post("/v1/events",
            fmt::format(R"({{"events":[{{"type":"purchase","user_id":"{}","product_id":"boot",
                        "price":"80.00","currency":"EUR","order_id":"m-{}"}}]}})",
                        order % 2 == 0 ? "cy" : "dee", order)));
  }
  clock_.advance(k_day_ms);
  const json::value answer = ok(get("/v1/analytics/rfm/months?months=4"));
  ASSERT_EQ(answer.at("months").as_array().size(), 4U);
  std::size_t moves = 0;
  std::string before;
  for (const json::value& month : answer.at("months").as_array()) {
    const std::string from(month.at("from").as_string().c_str());
    const std::string to(month.at("to").as_string().c_str());
    EXPECT_TRUE(before.empty() || before == from);
    before = to;
    const json::value view =
        ok(get(fmt::format("/v1/analytics/rfm?as_of={}&compared_to={}", to, from)));
    EXPECT_EQ(month.at("moved"), view.at("moved")) << from;
    moves += month.at("moved").as_array().size();
    for (std::size_t i = 0; i < month.at("groups").as_array().size(); ++i) {
      EXPECT_EQ(month.at("groups").at(i).at("people"), view.at("groups").at(i).at("people"));
    }
  }
  EXPECT_GT(moves, 3U);
  EXPECT_EQ(before, answer.at("as_of").as_string().c_str());
  EXPECT_THAT(failure(get("/v1/analytics/rfm/months?months=25")), HasSubstr("months"));
}

// One comes back after 20 days, one after 50; who bought before is as it was.
TEST_F(SegmentsApiTest, CohortsSayWhoOrderedAgainAndWithinHowManyDays) {
  auto order = [this, number = 0](std::string_view who) mutable {
    ok(post("/v1/events",
            fmt::format(R"({{"events":[{{"type":"purchase","user_id":"{}","product_id":"boot",
                        "price":"80.00","currency":"EUR","order_id":"again-{}"}}]}})",
                        who, ++number)));
  };
  const auto sums = [](const json::value& answer) {
    std::map<std::string, double> all;
    for (const json::value& cohort : answer.at("cohorts").as_array()) {
      all["buyers"] += cohort.at("buyers").to_number<double>();
      for (const json::value& month : cohort.at("months").as_array()) {
        all["orders"] += month.at("orders").to_number<double>();
        all["spend"] += month.at("spend").to_number<double>();
      }
      for (const json::value& within : cohort.at("ordered_again").as_array()) {
        const std::string days = json::serialize(within.at("within_days"));
        all["watched " + days] += within.at("watched").to_number<double>();
        all["again " + days] += within.at("again").to_number<double>();
      }
    }
    return all;
  };
  const std::string query = fmt::format("/v1/analytics/cohorts?months=12&as_of={}",
                                        format_time(clock_.now_ms() + 115 * k_day_ms));
  const auto before = sums(ok(get(query)));
  order("uma");
  clock_.advance(20 * k_day_ms);
  order("uma");
  order("vic");
  clock_.advance(50 * k_day_ms);
  order("vic");
  clock_.advance(45 * k_day_ms);
  const json::value answer = ok(get(query));
  std::map<std::string, double> gained = sums(answer);
  for (auto& [name, sum] : gained) sum -= before.at(name);
  EXPECT_THAT(gained, UnorderedElementsAre(Pair("buyers", 2), Pair("orders", 4), Pair("spend", 320),
                                           Pair("watched 30", 2), Pair("again 30", 1),
                                           Pair("watched 60", 2), Pair("again 60", 2),
                                           Pair("watched 90", 2), Pair("again 90", 2)));
  const auto& cohorts = answer.at("cohorts").as_array();
  ASSERT_EQ(cohorts.size(), 12U);
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    const auto& months = cohorts[i].at("months").as_array();
    EXPECT_EQ(months.size(), 12 - i) << "no month that has not begun";
    EXPECT_EQ(months.front().at("buyers"), cohorts[i].at("buyers")) << "all of them in the first";
  }
  EXPECT_THAT(failure(get("/v1/analytics/cohorts?months=25")), HasSubstr("months"));
}

}  // namespace
}  // namespace vitrine::http
