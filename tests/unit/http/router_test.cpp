#include "server/http/router.h"

#include <gmock/gmock.h>

#include "base/status.h"
#include "server/http/operations.h"

namespace vitrine::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class RouterTest : public ::testing::Test {
 protected:
  Response ask(std::string_view method, std::string_view target) {
    Request request;
    request.method = method;
    request.target = target;
    request.is_control = true;
    std::optional<Response> answer;
    router_.handle(std::move(request),
                   Reply("01JTEST", [&](Response&& response) { answer = std::move(response); }));
    EXPECT_TRUE(answer.has_value()) << "answered before handle() returns";
    return answer.value_or(Response{});
  }

  // A handler that says which route it is and what it captured.
  static Handler say(std::string name) {
    return answer_at_once([name](Request& request) {
      std::string body = name;
      for (const auto& [key, value] : request.path_parameters) body += " " + key + "=" + value;
      return json_response(std::move(body));
    });
  }

  Metrics metrics_;
  std::unique_ptr<Log> log_ = Log::silent();
  Router router_{AccessPolicy::open(), metrics_, *log_};
};

TEST_F(RouterTest, PrefersSegmentsThatAreNamedOutright) {
  router_.add("GET", "/v1/products/{id}", Scope::catalog, say("one"));
  router_.add("GET", "/v1/products/batch", Scope::catalog, say("batch"));
  router_.add("GET", "/v1/products", Scope::catalog, say("all"));
  EXPECT_EQ(ask("GET", "/v1/products").body, "all");
  EXPECT_EQ(ask("GET", "/v1/products/batch").body, "batch");
  EXPECT_EQ(ask("GET", "/v1/products/p1").body, "one id=p1");
}

TEST_F(RouterTest, DecodesCapturedSegmentsAfterSplitting) {
  router_.add("GET", "/v1/products/{id}", Scope::catalog, say("one"));
  router_.add("GET", "/v1/{a}/x/{b}", Scope::catalog, say("two"));
  EXPECT_EQ(ask("GET", "/v1/products/a%2Fb%20c+d").body, "one id=a/b c+d");
  EXPECT_EQ(ask("GET", "/v1/1/x/2?q=3").body, "two a=1 b=2");
  EXPECT_EQ(ask("GET", "/v1/products/%zz").status, 400);
}

TEST_F(RouterTest, AnswersUnknownPathsAndMethodsInTheErrorForm) {
  router_.add("GET", "/a/{id}", std::nullopt, say("get"));
  router_.add("DELETE", "/a/{id}", std::nullopt, say("delete"));
  for (const std::string_view path : {"/", "", "/a", "/a/", "/a/b/c", "/A/b", "//a/b"}) {
    const Response missing = ask("GET", path);
    EXPECT_EQ(missing.status, 404) << path;
    EXPECT_THAT(missing.body, HasSubstr(R"("code":"not_found")"));
    EXPECT_THAT(missing.body, HasSubstr(R"("request_id":"01JTEST")"));
  }
  const Response wrong = ask("POST", "/a/b");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_THAT(wrong.headers, Contains(Pair("Allow", "GET, HEAD, DELETE")));
  EXPECT_THAT(wrong.body, HasSubstr("method_not_allowed"));
}

TEST_F(RouterTest, AnswersHeadWhereGetIs) {
  router_.add("GET", "/a", std::nullopt, say("get"));
  EXPECT_EQ(ask("HEAD", "/a").status, 200);
}

TEST_F(RouterTest, TurnsAHandlersErrorIntoItsStatus) {
  router_.add("GET", "/full", std::nullopt,
              answer_at_once([](Request&) { return overloaded("the queue is full"); }));
  const Response response = ask("GET", "/full");
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "1")));
}

TEST_F(RouterTest, AnswersForHandlersThatDropTheirReplyOrThrow) {
  router_.add("GET", "/dropped", std::nullopt, [](Request&, Reply) {});
  router_.add("GET", "/throws", std::nullopt, [](Request&, Reply) { std::string().at(1); });
  EXPECT_EQ(ask("GET", "/dropped").status, 500);
  EXPECT_EQ(ask("GET", "/throws").status, 500);
}

TEST_F(RouterTest, ReadinessSaysWhatIsAwaited) {
  std::vector<Shortcoming> all;
  add_operations_routes(router_, [&] { return all; }, metrics_);
  EXPECT_EQ(ask("GET", "/readyz").body, R"({"status":"ready","degraded":[]})");

  all = {{"no_model", "no model yet"}};
  const Response degraded = ask("GET", "/readyz");
  EXPECT_EQ(degraded.status, 200);
  EXPECT_THAT(degraded.body, HasSubstr(R"([{"reason":"no_model","message":"no model yet"}])"));

  all.push_back({"stopping", "the server is stopping", true});
  const Response waiting = ask("GET", "/readyz");
  EXPECT_EQ(waiting.status, 503);
  EXPECT_THAT(waiting.headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(waiting.body,
              HasSubstr(R"("code":"unavailable","message":"the server is stopping")"));
  EXPECT_THAT(waiting.body, HasSubstr(R"("reasons":[{"reason":"stopping")"));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

// Never who asked or for what: of a path only its pattern is there.
TEST_F(RouterTest, LogsOneOfSoManyRequestsAndAllOfItsOwnFaults) {
  router_.add("GET", "/v1/users/{id}", std::nullopt, say("one"));
  router_.add("GET", "/dropped", std::nullopt, [](Request&, Reply) {});
  const auto logged = [&](std::uint32_t every) {
    testing::internal::CaptureStderr();
    {
      const std::unique_ptr<Log> log = Log::to_stderr(Log::Level::info, Log::Format::json);
      Router router(AccessPolicy::open(), metrics_, *log);
      router.add("GET", "/v1/users/{id}", std::nullopt, say("one"));
      router.add("GET", "/dropped", std::nullopt, [](Request&, Reply) {});
      router.access_log().keep_every(every);
      for (int i = 0; i < 10; ++i) {
        Request request;
        request.method = "GET";
        request.target = i < 9 ? "/v1/users/ann?key=vk_secret" : "/dropped";
        request.is_control = true;
        router.handle(std::move(request), Reply("01JTEST", [](Response&&) {}));
      }
    }
    return testing::internal::GetCapturedStderr();
  };
  const auto lines = [](const std::string& text) {
    int count = 0;
    for (std::size_t at = 0; (at = text.find("\"event\":\"request\"", at)) != std::string::npos;
         ++at) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(lines(logged(0)), 0);
  EXPECT_EQ(lines(logged(1)), 10);
  EXPECT_EQ(lines(logged(5)), 3) << "two of ten, and the 500";
  EXPECT_THAT(logged(1), HasSubstr(R"("method":"GET","route":"/v1/users/{id}","status":200,)"));
  EXPECT_THAT(logged(1), Not(HasSubstr("ann")));
  EXPECT_THAT(logged(1), Not(HasSubstr("vk_")));
}

TEST_F(RouterTest, AnAddressWithoutAKeyIsHeldToItsRateAndOthersAreNot) {
  router_.limit_keyless({.per_second = 1, .burst = 3});
  router_.add("GET", "/open", std::nullopt, say("open"));
  const auto ask_from = [&](std::uint64_t peer) {
    Request request;
    request.method = "GET";
    request.target = "/open";
    request.headers.add("Host", "localhost");
    request.peer = peer;
    int status = 0;
    router_.handle(std::move(request),
                   Reply("01JTEST", [&](Response&& answer) { status = answer.status; }));
    return status;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_from(7), 200);
  EXPECT_EQ(ask_from(7), 429);
  EXPECT_EQ(ask_from(8), 200);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask_from(0), 200) << "this machine";
}

TEST_F(RouterTest, ServesTheContractItWasBuiltWith) {
  add_operations_routes(router_, [] { return std::vector<Shortcoming>(); }, metrics_);
  const Response contract = ask("GET", "/openapi.yaml");
  EXPECT_THAT(contract.body, HasSubstr("openapi: 3.1.0"));
  EXPECT_EQ(contract.body, openapi_yaml());
}

TEST(ReplyTest, AnswersOnceAndOnItsOwnWhenForgotten) {
  int answers = 0;
  int last_status = 0;
  const auto sink = [&](Response&& response) {
    ++answers;
    last_status = response.status;
  };
  {
    Reply first("id", sink);
    Reply second = std::move(first);
    second.send(json_response("{}"));
  }
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(last_status, 200);
  {
    const Reply forgotten("id", sink);
  }
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(last_status, 500);
  Reply overwritten("id", sink);
  overwritten = Reply("other", sink);
  EXPECT_EQ(answers, 3) << "the one that was lost";
  overwritten.fail(not_found("nothing"));
  EXPECT_EQ(last_status, 404);
}

TEST(ReplyDeathTest, AnsweringTwiceIsABug) {
  Reply reply("id", [](Response&&) {});
  reply.send(json_response("{}"));
  EXPECT_DEATH(reply.send(json_response("{}")), "answered once");
}

}  // namespace
}  // namespace vitrine::http
