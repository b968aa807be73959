#include "server/http/workers.h"

#include <gmock/gmock.h>

#include <future>
#include <semaphore>

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class WorkersTest : public ::testing::Test {
 protected:
  std::future<Response> ask(const Handler& handler, std::string body = "") {
    auto answer = std::make_shared<std::promise<Response>>();
    Request request;
    request.body = std::move(body);
    handler(request, Reply("01JTEST", [answer](Response&& response) {
              answer->set_value(std::move(response));
            }));
    return answer->get_future();
  }
  // Says on which thread it ran, once it may.
  Handler say_thread(Workers& workers) {
    return workers.answer_aside(
        [this] { return is_long_; },
        [this](Request& request) -> absl::StatusOr<Response> {
          if (is_long_) may_answer_.acquire();
          const bool is_own = std::this_thread::get_id() == own_;
          return json_response(request.body + (is_own ? " here" : " aside"));
        });
  }

  Metrics metrics_;
  const std::unique_ptr<Log> log_ = Log::silent();
  bool is_long_ = true;
  const std::thread::id own_ = std::this_thread::get_id();
  std::counting_semaphore<> may_answer_{0};
};

TEST_F(WorkersTest, WhatIsLongIsAnsweredAsideAndTheRestAtOnce) {
  Workers workers({.threads = 1, .queue_max = 10}, metrics_, *log_);
  const Handler handler = say_thread(workers);

  std::future<Response> slow = ask(handler, "slow");
  EXPECT_EQ(slow.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  may_answer_.release();
  EXPECT_EQ(slow.get().body, "slow aside");

  is_long_ = false;
  EXPECT_EQ(ask(handler, "quick").get().body, "quick here");
}

TEST_F(WorkersTest, MoreThanTheQueueHoldsIsRefusedAndTheRestAnswered) {
  Workers workers({.threads = 1, .queue_max = 2}, metrics_, *log_);
  const Handler handler = say_thread(workers);
  std::vector<std::future<Response>> taken;
  std::future<Response> refused;
  // One is being made and two wait, sooner or later; the next one is too many.
  while (!refused.valid()) {
    std::future<Response> answer = ask(handler);
    const bool is_answered = answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    (is_answered ? refused : taken.emplace_back()) = std::move(answer);
  }

  const Response refusal = refused.get();
  EXPECT_EQ(refusal.status, 429);
  EXPECT_THAT(refusal.body, HasSubstr("2 requests wait for a thread already"));
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_http_workers_refused_total 1"));
  EXPECT_LE(taken.size(), 3U);
  may_answer_.release(static_cast<std::ptrdiff_t>(taken.size()));
  for (std::future<Response>& answer : taken) EXPECT_EQ(answer.get().status, 200);
}

TEST_F(WorkersTest, StoppingAnswersWhatWaitsAndRefusesWhatComes) {
  Workers workers({.threads = 2, .queue_max = 10}, metrics_, *log_);
  const Handler handler = say_thread(workers);
  std::vector<std::future<Response>> waiting;
  waiting.reserve(6);
  for (int i = 0; i < 6; ++i) waiting.push_back(ask(handler));
  may_answer_.release(6);

  workers.stop();

  for (std::future<Response>& answer : waiting) EXPECT_EQ(answer.get().status, 200);
  EXPECT_EQ(ask(handler).get().status, 429);
}

TEST_F(WorkersTest, AHandlerThatThrowsCostsItsAnswerAndNoThread) {
  Workers workers({.threads = 1, .queue_max = 10}, metrics_, *log_);
  const Handler answering = workers.answer_aside([] { return true; },
                                                 [](Request& request) -> absl::StatusOr<Response> {
                                                   if (request.body == "bad")
                                                     throw std::runtime_error("no");
                                                   return json_response("fine");
                                                 });
  const Handler keeping = workers.aside([](const Request&) { return true; },
                                        [](Request& request, Reply reply) {
                                          if (request.body == "bad") throw std::runtime_error("no");
                                          reply.send(json_response("fine"));
                                        });

  for (const Handler& handler : {answering, keeping}) {
    EXPECT_EQ(ask(handler, "bad").get().status, 500);
    EXPECT_EQ(ask(handler, "good").get().body, "fine");
  }
}

}  // namespace
}  // namespace vitrine::http
