#include "server/http/idempotency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "server/events/function_command.h"
#include "server/http/handlers/later.h"
#include "server/http/router.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::http {
namespace {

using testing::HasSubstr;

constexpr store::Family k_family = store::Family::products;
constexpr const char* k_count = "count";

// A route that counts how often it was carried out, a step for each of its commands, and says so.
class IdempotencyTest : public testing::Test {
 protected:
  void SetUp() override { open(0); }

  void open(std::uint64_t min_free_bytes) {
    router_.reset();
    idempotency_.reset();
    committer_.reset();
    database_.reset();
    store::Database::Options options = small_store_options();
    options.min_free_bytes = min_free_bytes;
    database_ = std::move(store::Database::open(folder_.path(), options)).value();
    committer_ =
        std::make_unique<events::Committer>(*database_, std::span<events::Projection* const>(),
                                            clock_, metrics_, *log_, events::Committer::Options());
    idempotency_ =
        std::move(Idempotency::open(*database_, *committer_, clock_, metrics_, {})).value();
    router_ = std::make_unique<Router>(AccessPolicy::open(), metrics_, *log_);
    router_->keep_answers(*idempotency_);
    router_->add("POST", "/count/{steps}", Scope::marketing,
                 [this](Request& request, Reply reply) { count(request, std::move(reply)); });
  }

  void count(const Request& request, Reply reply) {
    const LaterReply later(std::move(reply));
    const auto left = std::make_shared<int>(std::stoi(std::string(request.path("steps"))));
    for (int i = *left; i > 0; --i) {
      const auto counted = std::make_shared<int>(0);
      later.fail_unless_ok(committer_->submit(std::make_unique<events::FunctionCommand>(
          [counted](events::Batch& batch) -> absl::Status {
            const auto before = batch.get(k_family, k_count).value();
            *counted = std::stoi(before.value_or("0")) + 1;
            if (*counted > k_most) return failed_precondition("it was done {} times", k_most);
            batch.put(k_family, k_count, std::to_string(*counted));
            return absl::OkStatus();
          },
          [later, left, counted](const absl::Status& status) {
            if (!status.ok()) return later->fail(status);
            if (--*left == 0) later->send(json_response(std::to_string(*counted)));
          })));
    }
  }

  std::future<Response> begin(std::string target, std::string key) {
    auto promise = std::make_shared<std::promise<Response>>();
    Request request;
    request.method = "POST";
    request.target = std::move(target);
    request.is_control = true;
    request.headers.add("Idempotency-Key", std::move(key));
    std::future<Response> answer = promise->get_future();
    router_->handle(std::move(request), Reply("01JTEST", [promise](Response&& response) {
                      promise->set_value(std::move(response));
                    }));
    return answer;
  }
  Response ask(std::string target, std::string key) {
    return begin(std::move(target), std::move(key)).get();
  }
  int syncs() const {
    const std::string text = metrics_.text();
    const std::string_view name = "\nvitrine_commit_sync_seconds_count ";
    const std::size_t found = text.find(name);
    return found == std::string::npos ? 0 : std::stoi(text.substr(found + name.size()));
  }

  static constexpr int k_most = 5;

  const TempFolder folder_;
  FakeClock clock_{CommitterOnStore::k_now_ms};
  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<events::Committer> committer_;
  std::unique_ptr<Idempotency> idempotency_;
  std::unique_ptr<Router> router_;
};

TEST_F(IdempotencyTest, AWriteAndItsAnswerAreDurableByOneSync) {
  const int before = syncs();
  EXPECT_EQ(ask("/count/1", "k1").body, "1");
  EXPECT_EQ(syncs(), before + 1);
  open(0);
  EXPECT_EQ(ask("/count/1", "k1").body, "1");
  EXPECT_EQ(ask("/count/1", "k2").body, "2");
}

// Nothing that comes after the write's own batch is written: as when the process is killed then.
TEST_F(IdempotencyTest, TheAnswerIsThereWhenNothingIsWrittenAfterTheWrite) {
  std::promise<void> release;
  const auto until = release.get_future().share();
  ASSERT_TRUE(committer_
                  ->submit(std::make_unique<events::FunctionCommand>(
                      [until](events::Batch&) {
                        until.wait();
                        return absl::OkStatus();
                      },
                      [](const absl::Status&) {}))
                  .ok());
  std::future<Response> first = begin("/count/1", "k1");
  std::thread stopping([this] { committer_->stop(); });
  while (!absl::IsUnavailable(committer_->submit(std::make_unique<events::FunctionCommand>(
      [](events::Batch&) { return absl::OkStatus(); }, [](const absl::Status&) {})))) {
  }
  release.set_value();
  stopping.join();
  EXPECT_EQ(first.get().body, "1");
  open(0);
  EXPECT_EQ(ask("/count/1", "k1").body, "1");
  EXPECT_EQ(ask("/count/1", "k2").body, "2") << "it was done once";
}

TEST_F(IdempotencyTest, WhatCouldNotBeWrittenIsNeitherAnsweredAsDoneNorKept) {
  EXPECT_EQ(ask("/count/1", "k1").body, "1");
  open(std::uint64_t{1} << 60);
  EXPECT_EQ(ask("/count/1", "k2").status, 503);
  EXPECT_EQ(ask("/count/1", "k2").status, 503);
  EXPECT_EQ(ask("/count/1", "k1").body, "1") << "what was kept is read all the same";
  open(0);
  EXPECT_EQ(ask("/count/1", "k2").body, "2");
}

TEST_F(IdempotencyTest, AnAnswerOfSeveralCommandsIsKeptOnce) {
  EXPECT_EQ(ask("/count/3", "k1").body, "3");
  EXPECT_EQ(ask("/count/3", "k1").body, "3");
  EXPECT_EQ(ask("/count/1", "k2").body, "4");
}

TEST_F(IdempotencyTest, WhatIsRefusedIsToldAfterwardsAndNotKept) {
  EXPECT_EQ(ask("/count/5", "k1").body, "5");
  EXPECT_EQ(ask("/count/1", "k2").status, 422);
  EXPECT_THAT(ask("/count/1", "k2").body, HasSubstr("done 5 times"));
  EXPECT_EQ(ask("/count/5", "k1").body, "5");
}

TEST_F(IdempotencyTest, TwinsWaitForTheFirst) {
  std::vector<std::future<Response>> twins;
  for (int i = 0; i < 8; ++i) twins.push_back(begin("/count/1", "k1"));
  for (std::future<Response>& twin : twins) EXPECT_EQ(twin.get().body, "1");
}

}  // namespace
}  // namespace vitrine::http
