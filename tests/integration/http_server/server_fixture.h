// A server on a free port with a few routes that show what it does with requests and replies.
#pragma once

#include <boost/json/value.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/status.h"
#include "raw_client.h"
#include "server/http/json_reader.h"
#include "server/http/operations.h"
#include "server/http/router.h"
#include "server/http/server.h"
#include "tests/support/temp_folder.h"

namespace vitrine::http {

class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture() {
    router_.add("POST", "/echo", Scope::collect, answer_at_once([](Request& request) {
                  return json_response(std::move(request.body));
                }));
    router_.add(
        "POST", "/json", Scope::collect,
        answer_at_once([this](Request& request) -> absl::StatusOr<Response> {
          JsonDocument document;
          VITRINE_RETURN_IF_ERROR(document.parse(request.body, options_.limits.max_json_depth));
          return json_response("{}");
        }));
    router_.add("GET", "/large", Scope::collect, answer_at_once([](Request&) {
                  return json_response(std::string(k_large_bytes, 'x'));
                }));
    router_.add("GET", "/later", Scope::collect, [this](Request&, Reply reply) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(reply));
      arrived_.notify_all();
    });
    router_.add("GET", "/dropped", Scope::collect, [](Request&, Reply) {});
    router_.add("GET", "/throws", Scope::collect,
                [](Request&, Reply) { std::ignore = std::vector<int>().at(1); });
    router_.add("GET", "/threads", Scope::collect, answer_at_once([this](Request&) {
                  const std::lock_guard lock(mutex_);
                  threads_.push_back(std::this_thread::get_id());
                  return json_response("{}");
                }));
    add_operations_routes(router_, [] { return std::vector<Shortcoming>(); }, metrics_);
    options_.port = 0;
  }

  ~ServerFixture() override { waiting_.clear(); }

  void start() {
    auto started = Server::start(options_, router_, clock_, metrics_, *log_);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  RawClient connect() { return RawClient::to_port(server_->port()); }

  // Waits for `count` requests at /later and hands their replies over.
  std::vector<Reply> take_replies(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return waiting_.size() >= count; });
    return std::exchange(waiting_, {});
  }

  // The server still answers a new client.
  void expect_alive() {
    const auto answer = connect().ask(get("/healthz"));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200);
  }

  static constexpr std::size_t k_large_bytes = 16 * 1024 * 1024;

  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  Router router_{AccessPolicy::open(), metrics_, *log_};
  ServerOptions options_;
  std::mutex mutex_;  // guards the two below
  std::vector<Reply> waiting_;
  std::vector<std::thread::id> threads_;
  std::condition_variable arrived_;
  std::unique_ptr<Server> server_;  // last: stops before the rest goes
};

}  // namespace vitrine::http
