// Writes that are sent again with their Idempotency-Key.
#include <gmock/gmock.h>

#include "api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

const auto k_is_replayed = Contains(Pair("Idempotent-Replayed", "true"));

class IdempotencyTest : public ApiTest {
 protected:
  Response put_with(std::string key, std::string title, std::string id = "cup") {
    return ask({"PUT",
                "/v1/products/" + id,
                fmt::format(R"({{"title":"{}","price":"1.00","currency":"EUR"}})", title),
                {{"Idempotency-Key", std::move(key)}}});
  }
  int version(const Response& response) {
    return static_cast<int>(ok(response).at("version").as_int64());
  }
  // Batches written and synced so far.
  int syncs() const {
    const std::string text = metrics_.text();
    const std::string_view name = "\nvitrine_commit_sync_seconds_count ";
    const std::size_t found = text.find(name);
    return found == std::string::npos ? 0 : std::stoi(text.substr(found + name.size()));
  }
  void open_with_room(std::uint64_t min_free_bytes) {
    app::Config config;
    config.store.min_free_bytes = min_free_bytes;
    open(app::Access::everybody, config);
  }
};

TEST_F(IdempotencyTest, WhatIsSentAgainIsAnsweredAsBeforeAndDoneOnce) {
  const Response first = put_with("k1", "CUP");
  const Response second = put_with("k1", "CUP");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body, first.body);
  EXPECT_THAT(second.headers, Contains(Pair("ETag", "\"1\"")));
  EXPECT_THAT(first.headers, Not(k_is_replayed));
  EXPECT_THAT(second.headers, k_is_replayed);
  EXPECT_EQ(version(get("/v1/products/cup")), 1);
  EXPECT_EQ(version(put_with("k2", "CUP, BLUE")), 2) << "another key is another write";
}

TEST_F(IdempotencyTest, AnotherBodyUnderTheSameKeyIsAConflict) {
  put_with("k1", "CUP");
  EXPECT_THAT(failure(put_with("k1", "MUG")), StartsWith("409 conflict Idempotency-Key: "));
  EXPECT_EQ(put_with("k1", "CUP", "mug").status, 201) << "another product is another route";
}

TEST_F(IdempotencyTest, ARefusalIsNotKept) {
  const std::string broken = R"({"title":7})";
  EXPECT_EQ(ask({"PUT", "/v1/products/cup", broken, {{"Idempotency-Key", "k1"}}}).status, 400);
  EXPECT_EQ(put_with("k1", "CUP").status, 201);
}

TEST_F(IdempotencyTest, AnswersSurviveARestartAndEndWithTheirDay) {
  const Response first = put_with("k1", "CUP");
  open(app::Access::everybody);
  EXPECT_EQ(put_with("k1", "CUP").body, first.body);
  EXPECT_THAT(failure(put_with("k1", "MUG")), StartsWith("409 "));

  clock_.advance(k_day_ms);
  EXPECT_EQ(version(put_with("k1", "MUG")), 2);
  EXPECT_EQ(version(put_with("k1", "MUG")), 2);
}

TEST_F(IdempotencyTest, KeysAreHeldToTheirForm) {
  EXPECT_THAT(failure(put_with("", "CUP")), StartsWith("400 invalid_argument Idempotency-Key: "));
  EXPECT_THAT(failure(put_with(std::string(201, 'k'), "CUP")), HasSubstr("got 201 bytes"));
  EXPECT_EQ(put_with(std::string(200, 'k'), "CUP").status, 201);
  EXPECT_THAT(
      failure(ask(
          {"PUT", "/v1/products/cup", "{}", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}})),
      HasSubstr("must be given once"));
}

// Their answers hold what the folder must not.
TEST_F(IdempotencyTest, KeysOfTheApiAreNotMadeWithOne) {
  EXPECT_THAT(
      failure(ask({"POST", "/v1/keys", R"({"scopes":["catalog"]})", {{"Idempotency-Key", "k1"}}})),
      HasSubstr("not taken by /v1/keys"));
  EXPECT_THAT(failure(ask({"POST", "/v1/webhooks/crm/secret", "", {{"Idempotency-Key", "k1"}}})),
              HasSubstr("not taken by /v1/webhooks"));
}

TEST_F(IdempotencyTest, WhatIsKeptGoesWithThePersonItNames) {
  const std::string body =
      R"({"events":[{"type":"view","user_id":"annabel-7Q5x2","product_id":"cup"}]})";
  EXPECT_EQ(ask({"POST", "/v1/events", body, {}}).status, 200);
  put_with("k1", "CUP");
  put_with("k2", "the cup of annabel-7Q5x2");
  const Response receipt = ask({"DELETE", "/v1/users/annabel-7Q5x2", "", {}});
  EXPECT_THAT(receipt.body, HasSubstr(R"("owner":"kept_answers","dropped":1,)"));
  EXPECT_THAT(failure(put_with("k1", "MUG")), StartsWith("409 ")) << "others stay";
  EXPECT_EQ(version(put_with("k2", "MUG")), 3);
}

// One sync for both: no moment at which one is durable and the other is not.
TEST_F(IdempotencyTest, AWriteAndItsAnswerAreOneBatch) {
  const std::vector<Asked> writes = {
      {"PUT", "/v1/products/cup", R"({"title":"CUP","price":"1.00","currency":"EUR"})", {}},
      {"PATCH", "/v1/products/cup", R"({"title":"BLUE CUP"})", {}},
      {"POST",
       "/v1/products/batch",
       R"({"products":[{"product_id":"mug","title":"MUG","price":"1.00","currency":"EUR"}]})",
       {}},
      {"DELETE", "/v1/products/cup", "", {}},
      {"PUT", "/v1/placements/mine", R"({"sources":[{"source":"popular"}]})", {}},
      {"DELETE", "/v1/placements/mine", "", {}},
      {"PUT",
       "/v1/campaigns/spring",
       R"({"state":"active","window":{"end":"2026-12-31","time_zone":"Europe/Berlin"}})",
       {}},
      {"PUT",
       "/v1/offers/five",
       R"({"campaign":"spring","trigger":"code","effect":{"kind":"percent","percent_off":5},
           "amounts":{"*":{"currency":"EUR","max_discount":"8.00"}}})",
       {}},
      {"POST", "/v1/grants", R"({"offer":"five","codes":2})", {}},
      {"POST", "/v1/grants/1/revoke", "", {}},
  };
  for (std::size_t i = 0; i < writes.size(); ++i) {
    Asked write = writes[i];
    SCOPED_TRACE(write.method + " " + write.target);
    write.headers.emplace_back("Idempotency-Key", fmt::format("k{}", i));
    const int before = syncs();
    const Response first = ask(write);
    EXPECT_LT(first.status, 300) << first.body;
    EXPECT_EQ(syncs(), before + 1);
    open(app::Access::everybody);
    const Response second = ask(write);
    EXPECT_EQ(second.status, first.status);
    EXPECT_EQ(second.body, first.body);
    EXPECT_THAT(second.headers, k_is_replayed);
  }
}

TEST_F(IdempotencyTest, WhatCouldNotBeWrittenIsNotAnsweredAsDone) {
  put_with("k1", "CUP");
  open_with_room(std::uint64_t{1} << 50);
  EXPECT_EQ(put_with("k2", "MUG").status, 503);
  EXPECT_EQ(put_with("k2", "MUG").status, 503) << "and its answer is not kept";
  EXPECT_EQ(put_with("k1", "CUP").status, 201) << "what was kept before is read all the same";
  open_with_room(0);
  EXPECT_EQ(version(put_with("k2", "MUG")), 2);
}

TEST_F(IdempotencyTest, TwinsAtTheSameTimeAreOneWrite) {
  constexpr int k_twins = 8;
  std::vector<std::promise<Response>> promises(k_twins);
  for (std::promise<Response>& promise : promises) {
    Request request;
    request.method = "PUT";
    request.target = "/v1/products/cup";
    request.body = R"({"title":"CUP","price":"1.00","currency":"EUR"})";
    request.is_control = true;
    request.headers.add("Idempotency-Key", "k1");
    services_->router().handle(std::move(request), Reply("01JTEST", [&promise](Response&& answer) {
                                 promise.set_value(std::move(answer));
                               }));
  }
  for (std::promise<Response>& promise : promises) {
    EXPECT_EQ(version(promise.get_future().get()), 1);
  }
  EXPECT_EQ(version(get("/v1/products/cup")), 1);
}

}  // namespace
}  // namespace vitrine::http
