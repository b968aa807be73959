// What passes its time while the server runs, as its clients notice it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <thread>

#include "server/app/commands/command.h"
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

class RetentionApiTest : public ApiTest {
 protected:
  void SetUp() override { start(); }
  void start() {
    services_.reset();
    app::Config config;
    config.data = (folder_ / "data").string();
    config.retention.interval_ms = 1;
    auto services =
        app::Services::open(config, app::Access::everybody, clock_, metrics_, *log_, {});
    ASSERT_TRUE(services.ok()) << services.status();
    services_ = *std::move(services);
  }

  // "accepted duplicates".
  std::string send(const std::string& target, const std::string& events) {
    const json::value answer = ok(post(target, R"({"events":[)" + events + "]}"));
    return fmt::format("{} {}", answer.at("accepted").as_int64(),
                       answer.at("duplicates").as_int64());
  }
  void pass_days(std::int64_t days, const std::string& until_metrics_say) {
    clock_.advance(days * k_day_ms);
    const std::int64_t deadline_us = steady_us() + 20'000'000;
    while (!says(until_metrics_say) && steady_us() < deadline_us) std::this_thread::yield();
    EXPECT_TRUE(says(until_metrics_say)) << until_metrics_say;
  }
  bool says(const std::string& line) {
    return get("/metrics").body.find("\n" + line + "\n") != std::string::npos;
  }
};

constexpr const char* k_view =
    R"({"event_id":"e1","type":"view","visitor_id":"v","product_id":"p1"})";
constexpr const char* k_order =
    R"({"event_id":"e2","type":"purchase","user_id":"u","visitor_id":"v","product_id":"p2","order_id":"o"})";

TEST_F(RetentionApiTest, AnEventIsRecognisedForItsDaysAndAnImportedOneForEver) {
  EXPECT_EQ(send("/v1/events", k_view), "1 0");
  EXPECT_EQ(send("/v1/import/events", k_view), "1 0") << "a source of its own";
  EXPECT_EQ(send("/v1/events", k_view), "0 1");

  pass_days(8, "vitrine_retention_event_keys_total 1");

  EXPECT_EQ(send("/v1/events", k_view), "1 0");
  EXPECT_EQ(send("/v1/import/events", k_view), "0 1");
}

TEST_F(RetentionApiTest, WhatWasLearntFromPassedEntriesStaysAndTheFolderIsSound) {
  send("/v1/events", k_view);
  send("/v1/events", k_order);
  send("/v1/events", R"({"event_id":"e3","type":"view","visitor_id":"w","product_id":"p1"})");

  pass_days(400, "vitrine_retention_behaviour_total 1");
  const json::value before = ok(get("/v1/users/u")).at("computed");
  start();
  const json::value after = ok(get("/v1/users/u")).at("computed");

  EXPECT_EQ(json::serialize(before), json::serialize(after));
  EXPECT_EQ(after.at("events_count").as_int64(), 2);
  EXPECT_EQ(
      send("/v1/events", R"({"event_id":"e4","type":"view","visitor_id":"w","product_id":"p1"})"),
      "1 0");

  services_.reset();
  app::Invocation invocation;
  CLI::App root;
  app::add_verify(root, invocation);
  root.parse("verify --json --data " + (folder_ / "data").string());
  const absl::Status verified = invocation.run();
  EXPECT_TRUE(verified.ok()) << verified;
}

}  // namespace
}  // namespace vitrine::http
