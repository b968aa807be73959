// Did it pay: the report over HTTP, from grants to the verdict.
#include <gmock/gmock.h>

#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class CampaignReportApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    ok(put_json("/v1/campaigns/autumn", R"({"state":"active","holdout":{"share":0.3}})"));
    ok(put_json("/v1/offers/present", R"({"campaign":"autumn","trigger":"granted",
      "effect":{"kind":"full_reduction"},
      "amounts":{"*":{"currency":"EUR","tiers":[{"threshold":"20.00","off":"5.00"}]}}})"));
  }
  Response put_json(std::string target, std::string body) {
    return ask({"PUT", std::move(target), std::move(body), {}});
  }
};

TEST_F(CampaignReportApiTest, ACampaignNobodyWasDecidedAboutHasNoVerdict) {
  const json::value report = ok(get("/v1/campaigns/autumn/report"));
  EXPECT_EQ(report.at("people").at("assigned"), 0);
  EXPECT_EQ(report.at("verdict").at("verdict"), "cannot_tell");
  EXPECT_EQ(report.at("verdict").at("final"), false);
  EXPECT_EQ(report.at("margin").at("currency"), "EUR");
  EXPECT_EQ(report.at("offers").at(0).at("offer"), "present");
  EXPECT_TRUE(report.at("scores").is_null());
  EXPECT_TRUE(report.at("first_decision_at").is_null());
}

TEST_F(CampaignReportApiTest, WhatIsAskedWronglyIsNamed) {
  EXPECT_EQ(failure(get("/v1/campaigns/winter/report")),
            "404 not_found: there is no campaign winter");
  EXPECT_THAT(failure(get("/v1/campaigns/autumn/report?window_days=29")), HasSubstr("window_days"));
  EXPECT_THAT(failure(get("/v1/campaigns/autumn/report?currency=eur")),
              HasSubstr("currency: currency must be three capital letters as EUR, got 'eur'"));
  EXPECT_THAT(failure(get("/v1/campaigns/autumn/report?days=3")), HasSubstr("days"));
}

}  // namespace
}  // namespace vitrine::http
