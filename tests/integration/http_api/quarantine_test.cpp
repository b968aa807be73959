// Refused events are found by what is wrong with them, and get a second chance.
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

class QuarantineApiTest : public ApiTest {
 protected:
  void open_with_message_bytes(std::size_t bytes_max) {
    services_.reset();
    app::Config config;
    config.data = (folder_ / "data").string();
    config.tracking.message_bytes_max = bytes_max;
    auto services =
        app::Services::open(config, app::Access::everybody, clock_, metrics_, *log_, {});
    ASSERT_TRUE(services.ok()) << services.status();
    services_ = *std::move(services);
  }
  json::array codes(const std::string& parameters = {}) {
    json::array codes;
    const json::value page = ok(get("/v1/quarantine" + parameters));
    for (const json::value& event : page.at("events").as_array()) {
      codes.push_back(event.at("code"));
    }
    return codes;
  }
  // A track message of about `bytes` bytes.
  static std::string message(std::string id, std::size_t bytes) {
    return fmt::format(R"({{"type":"track","anonymousId":"v","messageId":"{}",)"
                       R"("event":"Product Viewed","timestamp":"2026-11-20T10:00:00Z",)"
                       R"("properties":{{"product_id":"cup","note":"{}"}}}})",
                       id, std::string(bytes, 'x'));
  }
};

TEST_F(QuarantineApiTest, IsNarrowedByReasonSourceAndTime) {
  ok(post("/v1/events", R"({"events":[{"type":"veiw"},{"type":"view","visitor_id":"v"}]})"));
  clock_.advance(k_day_ms);
  ok(post("/v1/track", R"({"anonymousId":"v","event":"Nonsense"})"));
  EXPECT_EQ(codes(), json::array({"unknown_type", "missing_product", "unknown_type"}));
  EXPECT_EQ(codes("?code=missing_product"), json::array({"missing_product"}));
  EXPECT_EQ(codes("?source=segment"), json::array({"unknown_type"}));
  EXPECT_EQ(codes("?until=2026-11-21T12:00:00Z").size(), 2U);
  EXPECT_EQ(codes("?from=2026-11-21T12:00:00Z&source=api").size(), 0U);
  EXPECT_EQ(failure(get("/v1/quarantine?from=yesterday")).substr(0, 25),
            "400 invalid_argument from");
}

TEST_F(QuarantineApiTest, WhatPassesTheSecondTimeLeavesAndTheRestStaysWithItsPresentReason) {
  open_with_message_bytes(1024);
  ok(post("/v1/batch",
          fmt::format(R"({{"batch":[{},{}]}})", message("m1", 2000), message("m2", 5000))));
  ok(post("/v1/events", R"({"events":[{"type":"veiw"}]})"));
  open_with_message_bytes(4096);

  clock_.advance(k_hour_ms);
  const json::value done = ok(post("/v1/quarantine/resubmit?code=too_large", ""));
  EXPECT_EQ(done.at("resubmitted").to_number<int>(), 2);
  EXPECT_EQ(done.at("accepted").to_number<int>(), 1);
  EXPECT_EQ(done.at("rejected").to_number<int>(), 1);
  EXPECT_EQ(codes(), json::array({"too_large", "unknown_type"}));
  const json::value kept = ok(get("/v1/quarantine?code=too_large")).at("events").at(0);
  EXPECT_NE(std::string(kept.at("message").as_string()).find("4096"), std::string::npos);
  EXPECT_EQ(kept.at("received_at").as_string(), "2026-11-21T10:00:00Z") << "it keeps its time";

  const json::value again =
      ok(post(fmt::format("/v1/quarantine/{}/resubmit", kept.at("number").to_number<int>()), ""));
  EXPECT_EQ(again.at("rejected").to_number<int>(), 1);
  EXPECT_EQ(codes().size(), 2U);
  EXPECT_EQ(failure(post("/v1/quarantine/999/resubmit", "")).substr(0, 13), "404 not_found");
  EXPECT_EQ(failure(post("/v1/quarantine/x/resubmit", "")).substr(0, 13), "404 not_found");
}

TEST_F(QuarantineApiTest, AnEventThatArrivedMeanwhileIsTakenOnce) {
  open_with_message_bytes(1024);
  ok(post("/v1/batch", fmt::format(R"({{"batch":[{}]}})", message("m1", 2000))));
  open_with_message_bytes(4096);
  ok(post("/v1/batch", fmt::format(R"({{"batch":[{}]}})", message("m1", 2000))));
  const json::value done = ok(post("/v1/quarantine/resubmit", ""));
  EXPECT_EQ(done.at("duplicates").to_number<int>(), 1);
  EXPECT_EQ(codes().size(), 0U);
}

}  // namespace
}  // namespace vitrine::http
