// Who gets which offer of a campaign, over HTTP: tried, granted, learnt from, and whether it paid.
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "base/random.h"
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class AllocationApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    for (const char* const product : {"mug", "hat"}) {
      ok(put_json("/v1/products/" + std::string(product),
                  fmt::format(R"({{"title":"{}","price":"20.00","currency":"EUR"}})", product)));
    }
  }
  void configure(app::Config& config) override { config.coupon_rules.control_percent = 0; }

  Response put_json(std::string target, std::string body) {
    return ask({"PUT", std::move(target), std::move(body), {}});
  }
  void campaign(double holdout_share, std::string_view more = "") {
    ok(put_json(
        "/v1/campaigns/autumn",
        fmt::format(R"({{"state":"active","holdout":{{"share":{}}}{}}})", holdout_share, more)));
  }
  // 5.00 off 20.00 of a product; of everything without one.
  void offer(const std::string& id, const std::string& product = "", std::string_view more = "") {
    const std::string conditions =
        product.empty() ? "" : fmt::format(R"("conditions":{{"product_ids":["{}"]}},)", product);
    ok(put_json("/v1/offers/" + id, fmt::format(R"({{"campaign":"autumn","trigger":"granted",{}
        "effect":{{"kind":"full_reduction"}},"amounts":{{"*":{{"currency":"EUR",
        "tiers":[{{"threshold":"20.00","off":"5.00"}}]}}}}{}}})",
                                                conditions, more)));
  }
  static std::string user(int i) { return fmt::format("u{}", i); }

  // What `what_of` says somebody did, "" for nothing: a product that they buy, or view after '?'.
  void happen(int from, int until, const std::function<std::string(int)>& what_of) {
    constexpr std::size_t k_at_once = 2000;
    std::string events;
    std::size_t count = 0;
    const auto send = [&] {
      if (count > 0) ok(post("/v1/events", R"({"events":[)" + events + "]}"));
      events.clear();
      count = 0;
    };
    for (int i = from; i < until; ++i) {
      const std::string what = what_of(i);
      if (what.empty()) continue;
      if (count > 0) events += ",";
      if (what.front() == '?') {
        events += fmt::format(R"({{"type":"view","user_id":"{}","product_id":"{}"}})", user(i),
                              what.substr(1));
      } else {
        events += fmt::format(R"({{"type":"purchase","user_id":"{}","product_id":"{}",
            "order_id":"o{}","price":"20.00","currency":"EUR","quantity":1}})",
                              user(i), what, ++orders_);
      }
      if (++count == k_at_once) send();
    }
    send();
  }

  static std::string target(bool is_trial = false) {
    return std::string("/v1/campaigns/autumn/allocations") +
           (is_trial ? "?validate_only=true" : "");
  }
  json::value finished(const json::value& begun) {
    const std::string path = target() + "/" + std::string(begun.at("allocation").as_string());
    for (int look = 0; look < 3000; ++look) {
      json::value now = ok(get(path));
      if (now.at("state") != "working" && now.at("state") != "granting") return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "not finished";
    return begun;
  }
  json::value allocated(bool is_trial, std::string body = "{}") {
    const Response begun = post(target(is_trial), std::move(body));
    EXPECT_EQ(begun.status, 202) << begun.body;
    const json::value run = finished(json::parse(begun.body));
    EXPECT_EQ(run.at("state"), "done") << json::serialize(run);
    return run;
  }
  // By a chance that has nothing to do with the group the person is in.
  static bool buys(int i, int percent) {
    constexpr std::uint64_t k_seed = 1000;
    return mix64(k_seed + static_cast<std::uint64_t>(i)) % 100 <
           static_cast<std::uint64_t>(percent);
  }
  static double number(const json::value& value, std::string_view pointer) {
    return value.at_pointer({pointer.data(), pointer.size()}).to_number<double>();
  }
  std::vector<std::string> offers_of(int i) {
    std::vector<std::string> offers;
    const json::value grants = ok(get("/v1/grants?user_id=" + user(i)));
    for (const json::value& grant : grants.at("grants").as_array()) {
      offers.emplace_back(grant.at("offer").as_string());
    }
    return offers;
  }

  int orders_ = 0;
};

TEST_F(AllocationApiTest, ATrialSaysWhoWouldGetWhatAndGrantsNothing) {
  campaign(0.2);
  offer("mugs", "mug");
  offer("hats", "hat");
  happen(0, 200, [](int i) { return i % 2 == 0 ? "hat" : "mug"; });
  const json::value run = allocated(true);
  const json::value& found = run.at("result");
  EXPECT_EQ(number(found, "/people/asked_about"), 200);
  EXPECT_EQ(number(found, "/people/offered") + number(found, "/people/holdout"), 200);
  EXPECT_NEAR(number(found, "/people/holdout"), 40, 25);
  // Everybody the offer of what they buy; people of the holdout as ghosts.
  EXPECT_EQ(found.at_pointer("/offers/0/offer"), "hats");
  EXPECT_EQ(number(found, "/offers/0/people") + number(found, "/offers/0/ghosts"), 100);
  EXPECT_EQ(number(found, "/offers/1/people") + number(found, "/offers/1/ghosts"), 100);
  EXPECT_EQ(number(found, "/totals/ghosts"), number(found, "/people/holdout"));
  EXPECT_GT(number(found, "/totals/value"), number(found, "/best_single/value"));
  EXPECT_EQ(number(found, "/best_single/share"), 1);
  EXPECT_NEAR(number(found, "/totals/value"), number(found, "/bound"), 1e-9);
  EXPECT_EQ(found.at_pointer("/uplift/learnt"), false);
  EXPECT_EQ(number(found, "/uplift/conversions_missing"), 500);
  EXPECT_THAT(std::string(found.at_pointer("/uplift/why").as_string()),
              HasSubstr("500 buyers are missing"));
  EXPECT_TRUE(run.at("jobs").as_array().empty());
  EXPECT_EQ(number(ok(get("/v1/campaigns/autumn/report")), "/people/assigned"), 0);
}

TEST_F(AllocationApiTest, TheBudgetIsHeldAndHasAPrice) {
  campaign(0, R"(,"budgets":[{"measure":"discount","currency":"EUR","value":"2.00"}])");
  offer("mugs", "mug");
  offer("hats", "hat", R"(,"limits":[{"measure":"issued","value":3}])");
  happen(0, 200, [](int i) { return i % 2 == 0 ? "hat" : "mug"; });
  const json::value found = allocated(true).at("result");
  EXPECT_EQ(found.at_pointer("/budgets/0/budget"), "campaign/autumn/discount/EUR");
  EXPECT_EQ(number(found, "/budgets/0/left"), 2);
  EXPECT_LE(number(found, "/totals/cost"), 2);
  EXPECT_GT(number(found, "/totals/cost"), 1.5);
  EXPECT_GT(number(found, "/budgets/0/price"), 0);
  EXPECT_LT(number(found, "/best_single/share"), 1);
  EXPECT_EQ(found.at_pointer("/limits/0/limit"), "offer/hats/issued");
  EXPECT_EQ(number(found, "/limits/0/left"), 3);
  EXPECT_EQ(number(found, "/limits/0/expected"), number(found, "/offers/0/people"));
}

// All are worth the same by what they cost: chance says who, and for both groups alike.
TEST_F(AllocationApiTest, WhereTheBudgetIsShortBothGroupsAreChosenByOneRule) {
  campaign(0.5, R"(,"budgets":[{"measure":"discount","currency":"EUR","value":"10.00"}])");
  offer("five");
  happen(0, 600, [](int) { return "mug"; });
  const json::value found = allocated(true).at("result");
  const double chosen = number(found, "/totals/people") / number(found, "/people/offered");
  const double ghosts = number(found, "/totals/ghosts") / number(found, "/people/holdout");
  EXPECT_GT(chosen, 0.15);
  EXPECT_LT(chosen, 0.6);
  EXPECT_NEAR(ghosts, chosen, 0.12);
  EXPECT_LE(number(found, "/totals/cost"), 10);
  EXPECT_GT(number(found, "/totals/cost"), 9.5);
}

TEST_F(AllocationApiTest, EverybodyIsGivenTheOneOfferThatWasChosenOnceInARound) {
  campaign(0.2);
  offer("mugs", "mug");
  offer("hats", "hat");
  happen(0, 200, [](int i) { return i % 2 == 0 ? "hat" : "mug"; });
  const json::value run = allocated(false);
  ASSERT_EQ(run.at("jobs").as_array().size(), 2U);
  const double granted = number(run, "/jobs/0/granted") + number(run, "/jobs/1/granted");
  EXPECT_EQ(granted, number(run, "/result/totals/people"));
  EXPECT_EQ(number(run, "/jobs/0/withheld/HOLDOUT") + number(run, "/jobs/1/withheld/HOLDOUT"),
            number(run, "/result/totals/ghosts"));
  for (int i = 0; i < 200; ++i) {
    const std::vector<std::string> offers = offers_of(i);
    if (offers.empty()) continue;
    EXPECT_EQ(offers, std::vector<std::string>{i % 2 == 0 ? "hats" : "mugs"}) << i;
  }
  // Decided with what was promised: scores for the report, of both groups.
  const json::value report = ok(get("/v1/campaigns/autumn/report"));
  EXPECT_EQ(number(report, "/people/assigned"), 200);
  EXPECT_EQ(number(report, "/totals/issued"), granted);
  // People of the holdout were decided about as well; what they like changes nothing of it.
  happen(0, 200, [](int i) { return i % 2 == 0 ? "mug" : "hat"; });
  const json::value again = allocated(false);
  EXPECT_EQ(number(again, "/result/people/had_it"), 200);
  EXPECT_TRUE(again.at("jobs").as_array().empty());
  const json::value more = allocated(false, R"({"round":"2","offers":["mugs"]})");
  EXPECT_EQ(number(more, "/jobs/0/granted"), granted);
  // Two new coupons a week are enough.
  EXPECT_EQ(number(allocated(true, R"({"round":"3"})"), "/result/people/fatigue"), granted);
}

TEST_F(AllocationApiTest, AfterARestartTheJobsGoOnAndAreFound) {
  campaign(0.2);
  offer("mugs", "mug");
  happen(0, 400, [](int) { return "mug"; });
  const json::value begun = json::parse(post(target(), "{}").body);
  const std::string path = target() + "/" + std::string(begun.at("allocation").as_string());
  for (int look = 0; look < 3000 && ok(get(path)).at("state") == "working"; ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  open(app::Access::everybody);
  services_->start_grant_jobs();
  const json::value run = finished(begun);
  EXPECT_EQ(run.at("state"), "done");
  EXPECT_TRUE(run.at("result").is_null());
  ASSERT_EQ(run.at("jobs").as_array().size(), 1U);
  EXPECT_EQ(run.at_pointer("/jobs/0/allocation"), begun.at("allocation"));
  EXPECT_EQ(number(run, "/jobs/0/looked_at"), 400);
  EXPECT_EQ(number(run, "/jobs/0/had_it"), 0);
  EXPECT_EQ(number(ok(get("/v1/campaigns/autumn/report")), "/people/assigned"), 400);
}

TEST_F(AllocationApiTest, WhomTheConditionsLeaveOutGetsNothing) {
  campaign(0, R"(,"audience":"user.orders_count <= 1")");
  offer("first", "", R"(,"conditions":{"first_order":true})");
  happen(0, 30, [](int i) { return i % 3 == 0 ? "mug" : "?mug"; });
  happen(0, 30, [](int i) { return i % 6 == 0 ? "mug" : ""; });
  const json::value found = allocated(true).at("result");
  EXPECT_EQ(number(found, "/people/asked_about"), 25);  // five bought twice
  EXPECT_EQ(number(found, "/totals/people"), 20);       // five bought once
}

TEST_F(AllocationApiTest, WhatCannotBeAllocatedIsNamed) {
  EXPECT_EQ(failure(post(target(), "{}")), "404 not_found: there is no campaign autumn");
  campaign(0.2);
  EXPECT_THAT(failure(post(target(), "{}")),
              HasSubstr("campaign autumn has no granted offer that can be given now"));
  offer("mugs", "mug", R"(,"paused":true)");
  EXPECT_THAT(failure(post(target(), "{}")), HasSubstr("mugs is refused for PAUSED"));
  EXPECT_THAT(failure(post(target(), R"({"currency":"USD"})")), HasSubstr("mugs is refused for"));
  EXPECT_THAT(failure(post(target(), R"({"offers":["hats"]})")),
              HasSubstr("400 invalid_argument offers: offers names hats, which is no offer of"));
  EXPECT_THAT(failure(post(target(), R"({"currency":"eur"})")),
              HasSubstr("currency: currency must be three capital letters as EUR, got 'eur'"));
  EXPECT_THAT(failure(post(target(), R"({"size":3})")), HasSubstr("size"));
  offer("mugs", "mug");
  EXPECT_EQ(failure(post(target(), R"({"segment":"none"})")),
            "404 not_found: there is no segment none");
  EXPECT_EQ(failure(get(target() + "/01")), "404 not_found: campaign autumn has no allocation 01");
  for (int i = 0; i < 11; ++i) offer(fmt::format("more{}", i));
  EXPECT_THAT(failure(post(target(), "{}")),
              HasSubstr("offers are 12 of campaign autumn, at most 10 are allocated at once"));
}

// Grants, purchases, the report: with an offer that really brings something, and with one that
// does not.
class CampaignStoryTest : public AllocationApiTest {
 protected:
  static constexpr int k_people = 1200;

  void story(int offered_buy_percent, int others_buy_percent) {
    campaign(0.3);
    offer("five");
    happen(0, k_people, [](int) { return "?mug"; });
    allocated(false);
    clock_.advance(k_day_ms);
    happen(0, k_people, [&](int i) {
      const int percent = offers_of(i).empty() ? others_buy_percent : offered_buy_percent;
      return buys(i, percent) ? "mug" : "";
    });
    clock_.advance(29 * k_day_ms);
  }
};

TEST_F(CampaignStoryTest, AnOfferThatHelpsIsBetter) {
  story(50, 25);
  const json::value report = ok(get("/v1/campaigns/autumn/report"));
  EXPECT_EQ(number(report, "/people/assigned"), k_people);
  EXPECT_EQ(report.at_pointer("/verdict/verdict"), "better") << json::serialize(report);
  EXPECT_GT(number(report, "/effect/margin/low"), 0);
  EXPECT_LT(number(report, "/effect/margin/low"), 5);
  EXPECT_GT(number(report, "/effect/margin/high"), 5);
}

TEST_F(CampaignStoryTest, OfOneThatDoesNotNothingCanBeTold) {
  story(40, 40);
  const json::value report = ok(get("/v1/campaigns/autumn/report"));
  EXPECT_EQ(report.at_pointer("/verdict/verdict"), "cannot_tell");
  EXPECT_LT(number(report, "/effect/margin/low"), 0);
  EXPECT_GT(number(report, "/effect/margin/high"), 0);
}

// Regulars buy because of the coupon, others a little less.
TEST_F(AllocationApiTest, AfterFiveHundredBuyersInBothGroupsUpliftIsLearnt) {
  constexpr int k_taught = 2600;
  constexpr int k_fresh = 400;
  const auto is_regular = [](int i) { return i % 2 == 0; };
  const auto arrive = [&](int from, int until) {
    happen(from, until, [&](int i) { return is_regular(i) ? "mug" : "?mug"; });
    clock_.advance(10 * k_day_ms);
  };
  campaign(0.5);
  offer("five");
  arrive(0, k_taught);
  allocated(false);
  clock_.advance(k_day_ms);
  happen(0, k_taught, [&](int i) {
    const bool is_offered = !offers_of(i).empty();
    const int percent = !is_offered ? 45 : is_regular(i) ? 95 : 40;
    return buys(i, percent) ? "mug" : "";
  });
  clock_.advance(20 * k_day_ms);
  arrive(k_taught, k_taught + k_fresh);
  const json::value run = allocated(true);
  const json::value& found = run.at("result");
  EXPECT_EQ(found.at_pointer("/uplift/learnt"), true) << json::serialize(found);
  EXPECT_EQ(number(found, "/uplift/people"), k_taught);
  // Half of them 10.00, the others -1.00.
  EXPECT_NEAR(number(found, "/uplift/average/value"), 4.5, 1.5);
  EXPECT_EQ(found.at("policy"), "uplift");
  EXPECT_EQ(number(found, "/people/had_it"), k_taught);
  // The regulars of those who came later.
  const double chosen = number(found, "/totals/people") + number(found, "/totals/ghosts");
  EXPECT_NEAR(chosen, k_fresh / 2.0, 20);
  EXPECT_GT(number(found, "/totals/value"), number(found, "/best_single/value"));
}

}  // namespace
}  // namespace vitrine::http
