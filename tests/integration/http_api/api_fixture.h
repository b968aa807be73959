// The real parts behind their router, asked in process.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/app/services.h"
#include "tests/support/temp_folder.h"

namespace vitrine::http {

namespace json = boost::json;

struct Asked {
  std::string method;
  std::string target;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override { open(app::Access::everybody); }

  void open(app::Access access, app::Config config = {}) {
    services_.reset();
    config.data = (folder_ / "data").string();
    configure(config);
    auto services = app::Services::open(config, access, clock_, metrics_, *log_, {});
    ASSERT_TRUE(services.ok()) << services.status();
    services_ = *std::move(services);
  }

  // What a test wants otherwise.
  virtual void configure(app::Config&) {}

  Response ask(const Asked& asked, bool is_control = true) {
    Request request;
    request.method = asked.method;
    request.target = asked.target;
    request.body = asked.body;
    request.is_control = is_control;
    for (const auto& [name, value] : asked.headers) request.headers.add(name, value);
    std::promise<Response> promise;
    std::future<Response> answer = promise.get_future();
    services_->router().handle(
        std::move(request),
        Reply("01JTEST", [&promise](Response&& response) { promise.set_value(response); }));
    return answer.get();
  }
  Response get(std::string target) { return ask({"GET", std::move(target), "", {}}); }
  Response post(std::string target, std::string body) {
    return ask({"POST", std::move(target), std::move(body), {}});
  }

  // The body of a success; fails the test otherwise.
  json::value ok(const Response& response) {
    EXPECT_TRUE(response.status >= 200 && response.status < 300)
        << response.status << " " << response.body;
    return json::parse(response.body);
  }
  // "400 invalid_argument: ...", for comparing.
  std::string failure(const Response& response) {
    const json::value body = json::parse(response.body);
    const json::object& error = body.at("error").as_object();
    EXPECT_EQ(error.at("request_id").as_string(), "01JTEST");
    std::string text = fmt::format("{} {}", response.status, error.at("code").as_string().c_str());
    if (error.contains("field")) text += fmt::format(" {}", error.at("field").as_string().c_str());
    return text + ": " + error.at("message").as_string().c_str();
  }

  void put(std::string id, std::string title) {
    ok(ask({"PUT",
            "/v1/products/" + id,
            fmt::format(R"({{"title":"{}","price":"12.75","currency":"GBP"}})", title),
            {}}));
  }

  TempFolder folder_;
  FakeClock clock_{*parse_time("2026-11-21T10:00:00Z")};
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<app::Services> services_;
};

}  // namespace vitrine::http
