// The tracking API on the real parts: routes, keys, encodings, limits and answers.
#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>

#include "base/status.h"
#include "tests/integration/http_api/api_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view k_viewed =
    R"({"type":"track","event":"Product Viewed","anonymousId":"v1","properties":{"product_id":"p1"}})";
constexpr int k_gzip_form = 16 + MAX_WBITS;
constexpr int k_zlib_form = MAX_WBITS;

std::string packed(std::string_view text, int form) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, form, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string basic(std::string_view user) {
  return "Basic " + std::string(absl::Base64Escape({user.data(), user.size()}));
}

std::string header(const Response& response, std::string_view name) {
  const auto found = std::ranges::find(
      response.headers, name, [](const auto& each) { return std::string_view(each.first); });
  return found == response.headers.end() ? "" : found->second;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

class TrackingApiTest : public ApiTest {
 protected:
  // As a client in a network does it.
  Response send(std::string target, std::string body, Fields headers = {}) {
    return ask({"POST", std::move(target), std::move(body), std::move(headers)}, false);
  }
  std::string batch_of(std::string_view messages) {
    return fmt::format(R"({{"batch":[{}]}})", messages);
  }
  void use_keys() { open(app::Access::by_key); }
  // The secret of a new key.
  std::string make_key(std::string_view fields) {
    return std::string(ok(post("/v1/keys", fmt::format("{{{}}}", fields))).at("key").as_string());
  }
  std::int64_t events_of(std::string_view visitor) {
    const json::value user = ok(get(fmt::format("/v1/users/{}", visitor)));
    return user.at("computed").at("events_count").as_int64();
  }
  json::array quarantine() { return ok(get("/v1/quarantine")).at("events").as_array(); }
  std::int64_t log_entries() { return ok(get("/v1/stats")).at("log_entries").as_int64(); }
};

TEST_F(TrackingApiTest, EveryRouteTakesItsMessageWithAndWithoutVersion) {
  const std::string local = "127.0.0.1:1";
  const auto at = [&](std::string target, std::string body) {
    return send(std::move(target), std::move(body), {{"Host", local}});
  };
  std::int64_t count = 0;
  for (const std::string prefix : {"", "/v1"}) {
    for (const std::string path : {"/track", "/t"}) {
      const Response answer = at(prefix + path, std::string(k_viewed));
      EXPECT_EQ(answer.status, 200) << prefix << path;
      EXPECT_EQ(answer.body, R"({"success":true})");
      EXPECT_EQ(header(answer, "X-Rejected"), "");
      EXPECT_EQ(log_entries(), ++count) << prefix << path;
    }
    for (const std::string path :
         {"/identify", "/i", "/page", "/p", "/screen", "/s", "/group", "/g", "/alias", "/a"}) {
      EXPECT_EQ(at(prefix + path, R"({"userId":"u1"})").status, 200) << prefix << path;
      EXPECT_EQ(log_entries(), ++count) << prefix << path;
    }
    for (const std::string path : {"/batch", "/b", "/import"}) {
      EXPECT_EQ(at(prefix + path, batch_of(k_viewed)).status, 200) << prefix << path;
      EXPECT_EQ(log_entries(), ++count) << prefix << path;
    }
  }
  EXPECT_EQ(at("/beacon/v1/batch?writeKey=any", batch_of(k_viewed)).status, 200);
  EXPECT_EQ(
      at("/mp/collect?api_secret=any",
         R"({"client_id":"c","events":[{"name":"view_item","params":{"items":[{"item_id":"p"}]}}]})")
          .status,
      204);
  EXPECT_EQ(log_entries(), count + 2);
}

TEST_F(TrackingApiTest, BadMessagesAreCountedAndKeptAndTheOthersTaken) {
  const Response answer =
      post("/v1/batch",
           batch_of(fmt::format(R"({}, {{"type":"track","event":"Product Danced","userId":"u"}},
                              {{"type":"track","event":"Product Viewed",
                                "properties":{{"product_id":"p"}}}},
                              {{"type":"track","event":"Order Completed","userId":"u",
                                "properties":{{"order_id":"o","products":[{{}}, {{}}]}}}})",
                                k_viewed)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"success":true})");
  EXPECT_EQ(header(answer, "X-Rejected"), "3") << "messages, not their lines";
  EXPECT_EQ(log_entries(), 1);
  const json::array kept = quarantine();
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[0].at("code"), "missing_product");
  EXPECT_EQ(kept[2].at("code"), "missing_id");
  EXPECT_EQ(kept[3].at("code"), "unknown_type");
  EXPECT_EQ(kept[3].at("source"), "segment");
}

TEST_F(TrackingApiTest, AMessageSentAgainIsStoredOnceToo) {
  const std::string order = batch_of(
      R"({"type":"track","event":"Order Completed","userId":"ann","messageId":"m1",
          "properties":{"order_id":"o","products":[{"product_id":"p1"},{"product_id":"p2"}]}})");
  EXPECT_EQ(post("/v1/batch", order).status, 200);
  EXPECT_EQ(log_entries(), 2);
  EXPECT_EQ(post("/v1/batch", order).status, 200);
  open(app::Access::everybody);
  EXPECT_EQ(post("/v1/batch", order).status, 200);
  EXPECT_EQ(log_entries(), 2);
  EXPECT_EQ(events_of("ann"), 2);
}

TEST_F(TrackingApiTest, TheContentTypeIsNotLookedAtAndPackedBodiesAreRead) {
  const auto status = [&](const std::string& body, std::string_view coding) {
    Fields headers{{"Host", "localhost"}, {"Content-Type", "application/x-www-form-urlencoded"}};
    if (!coding.empty()) headers.emplace_back("Content-Encoding", coding);
    return send("/v1/batch", body, headers).status;
  };
  const std::string body = batch_of(k_viewed);
  EXPECT_EQ(status(body, ""), 200);
  EXPECT_EQ(status(body, "identity"), 200);
  EXPECT_EQ(status(packed(body, k_gzip_form), "gzip"), 200);
  EXPECT_EQ(status(packed(body, k_gzip_form), "GZIP"), 200);
  EXPECT_EQ(status(packed(body, k_zlib_form), "deflate"), 200);
  EXPECT_EQ(status(packed(body, k_gzip_form), ""), 200) << "its first bytes say it";
  EXPECT_EQ(log_entries(), 6);
  EXPECT_EQ(status(body, "gzip"), 400);
  EXPECT_EQ(status(packed(body, k_gzip_form), "br"), 400);
  EXPECT_EQ(log_entries(), 6);
}

TEST_F(TrackingApiTest, ABombIsRefusedWhileItIsUnpacked) {
  const auto sent = [&](std::size_t bytes) {
    const std::string body = batch_of(k_viewed) + std::string(bytes, ' ');
    return send("/v1/batch", packed(body.substr(0, bytes), k_gzip_form),
                {{"Host", "localhost"}, {"Content-Encoding", "gzip"}});
  };
  EXPECT_EQ(sent(Limits().max_inflated_body_bytes).status, 200);
  const Response refused = sent(Limits().max_inflated_body_bytes + 1);
  EXPECT_THAT(failure(refused),
              StartsWith("413 too_large: the unpacked body is too large: more than 4194304 bytes"));
}

TEST_F(TrackingApiTest, WhatIsNoBatchIsTheOnlyBadRequest) {
  EXPECT_THAT(failure(post("/v1/batch", "not json")),
              StartsWith("400 invalid_argument: the body must be JSON"));
  EXPECT_THAT(failure(post("/v1/batch", R"({"type":"track"})")), HasSubstr("batch must be a list"));
  EXPECT_THAT(failure(post("/mp/collect", "{}")), HasSubstr("events"));
  EXPECT_EQ(post("/v1/batch", R"({"batch":[]})").status, 200);
  EXPECT_EQ(post("/v1/track", "{}").status, 200) << "one bad message is no bad request";
}

TEST_F(TrackingApiTest, TheKeyMayStandInFourPlaces) {
  use_keys();
  const std::string key = make_key(R"("scopes":["collect"])");
  const std::string with_key = fmt::format(R"({{"writeKey":"{}","batch":[{}]}})", key, k_viewed);
  const std::string without = batch_of(k_viewed);
  const auto status = [&](std::string target, std::string body, std::string_view authorization) {
    Fields headers;
    if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
    return send(std::move(target), std::move(body), headers).status;
  };
  EXPECT_EQ(status("/v1/batch", without, basic(key + ":")), 200);
  EXPECT_EQ(status("/v1/batch", without, basic(key)), 200);
  EXPECT_EQ(status("/v1/batch", with_key, ""), 200);
  EXPECT_EQ(status("/beacon/v1/batch?writeKey=" + key, without, ""), 200);
  EXPECT_EQ(status("/v1/batch", without, "Bearer " + key), 200);
  EXPECT_EQ(status("/mp/collect?api_secret=" + key, R"({"events":[]})", ""), 204);
  EXPECT_EQ(status("/v1/batch?writeKey=wrong", with_key, "Bearer wrong"), 200)
      << "the body's goes before the URL's and Bearer";
  EXPECT_EQ(status("/v1/batch", with_key, basic("wrong:")), 401) << "Basic goes before all";
  EXPECT_EQ(status("/v1/batch", without, ""), 401);
  EXPECT_EQ(status("/v1/batch", without, "Basic ???"), 401);
  EXPECT_EQ(status("/v1/batch", "not json", basic("wrong:")), 401) << "before the body is read";
}

TEST_F(TrackingApiTest, AKeyNeedsItsScopeAndSecretsStayOutOfUrls) {
  use_keys();
  const std::string reader = make_key(R"("scopes":["recommend"])");
  const std::string secret = make_key(R"("scopes":["collect","catalog"])");
  EXPECT_EQ(send("/v1/batch?writeKey=" + reader, batch_of(k_viewed)).status, 403);
  EXPECT_EQ(send("/v1/batch?writeKey=" + secret, batch_of(k_viewed)).status, 401);
  EXPECT_EQ(send("/v1/batch", batch_of(k_viewed), {{"Authorization", basic(secret + ":")}}).status,
            200);
}

TEST_F(TrackingApiTest, IdsOfMessagesAreUniqueForTheirKey) {
  use_keys();
  const std::string one = make_key(R"("scopes":["collect"])");
  const std::string other = make_key(R"("scopes":["collect"])");
  const std::string body = batch_of(
      R"({"type":"page","userId":"u","messageId":"m1"},{"type":"nothing","messageId":"m2"})");
  for (const std::string& key : {one, other, one}) {
    EXPECT_EQ(send("/v1/batch?writeKey=" + key, body).status, 200);
  }
  EXPECT_EQ(log_entries(), 2);
  EXPECT_THAT(std::string(quarantine()[0].at("source").as_string()), StartsWith("segment:"));
}

TEST_F(TrackingApiTest, AmountsWithoutACurrencyTakeTheKeysOwn) {
  use_keys();
  const std::string key = make_key(R"("scopes":["collect"],"currency":"JPY")");
  EXPECT_THAT(failure(post("/v1/keys", R"({"scopes":["collect"],"currency":"yen"})")),
              StartsWith("400 invalid_argument currency: "));
  const std::string body = batch_of(
      R"({"type":"track","event":"Product Added","userId":"u",
          "properties":{"product_id":"p","price":1990.4}})");
  EXPECT_EQ(send("/v1/batch?writeKey=" + key, body).status, 200);
  std::optional<Event> event;
  events::make_local_event_log(services_->database())
      ->read(0,
             [&](LogEntry&& entry) {
               event = *entry.event();
               return true;
             })
      .IgnoreError();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->currency, "JPY");
  EXPECT_EQ(event->price, Money{1990});
}

TEST_F(TrackingApiTest, OnlyAnAdministratorsImportKeepsItsTimes) {
  use_keys();
  const std::string open_key = make_key(R"("scopes":["collect"],"secret":true)");
  const std::string admin = make_key(R"("scopes":["admin"])");
  const auto seen = [&](const std::string& key, const std::string& user) {
    const std::string body = batch_of(
        fmt::format(R"({{"type":"page","userId":"{}","timestamp":"2020-01-01T00:00:00Z"}})", user));
    EXPECT_EQ(send("/v1/import", body, {{"Authorization", basic(key)}}).status, 200);
    return ok(get("/v1/users/" + user)).at("computed").at("first_seen_at");
  };
  EXPECT_EQ(seen(admin, "old"), "2020-01-01T00:00:00Z");
  EXPECT_EQ(seen(open_key, "new"), "2026-10-22T10:00:00Z") << "30 days back, and no further";
}

TEST_F(TrackingApiTest, TraitsAreInTheProfileAndMoveWithTheLogin) {
  EXPECT_EQ(post("/v1/identify", R"({"anonymousId":"v","traits":{"city":"Ulm","plan":"tin"},
                                     "timestamp":"2026-11-21T09:00:00Z"})")
                .status,
            200);
  EXPECT_EQ(post("/v1/identify", R"({"anonymousId":"v","userId":"ann","traits":{"plan":"gold"},
                                     "timestamp":"2026-11-21T09:30:00Z"})")
                .status,
            200);
  EXPECT_EQ(post("/v1/identify", R"({"userId":"ann","traits":{"plan":"late","old":1},
                                     "timestamp":"2026-11-21T09:10:00Z"})")
                .status,
            200);
  const json::value expected = json::parse(R"({"city":"Ulm","plan":"gold","old":1})");
  EXPECT_EQ(ok(get("/v1/users/ann")).at("traits"), expected);
  EXPECT_EQ(ok(get("/v1/users/ann")).at("visitors"), json::parse(R"(["v"])"));
  open(app::Access::everybody);
  EXPECT_EQ(ok(get("/v1/users/ann")).at("traits"), expected) << "after a restart";
}

TEST_F(TrackingApiTest, AnAliasLinksNobody) {
  EXPECT_EQ(post("/v1/track", std::string(k_viewed)).status, 200);
  EXPECT_EQ(post("/v1/alias", R"({"userId":"ann","previousId":"v1"})").status, 200);
  EXPECT_EQ(ok(get("/v1/users/ann")).at("visitors"), json::parse("[]"));
}

class CrossOriginTest : public TrackingApiTest {
 protected:
  Response preflight(std::string target, std::string origin) {
    return ask({"OPTIONS",
                std::move(target),
                "",
                {{"Host", "collect.shop.example"},
                 {"Origin", std::move(origin)},
                 {"Access-Control-Request-Method", "POST"},
                 {"Access-Control-Request-Headers", "authorization,content-type"}}},
               false);
  }
  const std::string shop_ = "https://shop.example";
};

TEST_F(CrossOriginTest, APreflightIsAnsweredForTheOriginsOfPublicKeys) {
  use_keys();
  EXPECT_EQ(preflight("/v1/t", shop_).status, 403) << "there is no key yet";
  make_key(R"("scopes":["collect"],"origins":["https://shop.example"])");
  make_key(R"("scopes":["admin"])");
  for (const std::string path : {"/v1/t", "/v1/batch", "/v1/events", "/v1/recommendations"}) {
    const Response answer = preflight(path, shop_);
    EXPECT_EQ(answer.status, 204) << path;
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), shop_);
    EXPECT_EQ(header(answer, "Access-Control-Allow-Methods"), "POST");
    EXPECT_THAT(header(answer, "Access-Control-Allow-Headers"),
                StartsWith("authorization, content-type, x-retry-count, anonymousid, sentat"));
    EXPECT_EQ(header(answer, "Access-Control-Max-Age"), "86400");
    EXPECT_EQ(header(answer, "Vary"), "Origin");
  }
  const Response foreign = preflight("/v1/t", "https://evil.example");
  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(header(foreign, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(preflight("/v1/models", shop_).status, 405) << "no page has business there";
}

TEST_F(CrossOriginTest, AKeyIsForItsOwnOriginsAndAServerHasNone) {
  use_keys();
  const std::string bound = make_key(R"("scopes":["collect"],"origins":["https://shop.example"])");
  const std::string free = make_key(R"("scopes":["collect"])");
  const auto answer = [&](const std::string& key, const std::string& origin) {
    Fields headers{{"Authorization", basic(key)}};
    if (!origin.empty()) headers.emplace_back("Origin", origin);
    return send("/v1/t", std::string(k_viewed), headers);
  };
  EXPECT_EQ(answer(bound, shop_).status, 200);
  EXPECT_EQ(header(answer(bound, shop_), "Access-Control-Allow-Origin"), shop_);
  EXPECT_EQ(answer(bound, "").status, 200);
  EXPECT_EQ(header(answer(bound, ""), "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(answer(bound, "https://evil.example").status, 403);
  EXPECT_EQ(answer(free, "https://any.example").status, 200) << "no list: all origins";
  EXPECT_EQ(header(answer("wrong", shop_), "Access-Control-Allow-Origin"), shop_)
      << "the page can read why it was refused, and does not try for ever";
}

TEST_F(CrossOriginTest, OpenModeIsForPagesOfThisMachine) {
  const auto status = [&](std::string origin) {
    return ask({"OPTIONS", "/v1/t", "", {{"Host", "localhost:8080"}, {"Origin", origin}}}, false)
        .status;
  };
  EXPECT_EQ(status("http://localhost:3000"), 204);
  EXPECT_EQ(status(shop_), 403);
}

TEST_F(TrackingApiTest, TheSettingsDocumentSendsBrowsersHere) {
  use_keys();
  const std::string key = make_key(R"("scopes":["collect"])");
  const auto settings = [&](std::vector<std::pair<std::string, std::string>> headers) {
    const Response answer =
        ask({"GET", "/v1/projects/" + key + "/settings", "", std::move(headers)}, false);
    return ok(answer).at("integrations").at("Segment.io").as_object();
  };
  const json::object near = settings({{"Host", "localhost:8080"}});
  EXPECT_EQ(near.at("apiKey"), std::string_view(key).data());
  EXPECT_EQ(near.at("apiHost"), "localhost:8080/v1");
  EXPECT_EQ(near.at("protocol"), "http");
  EXPECT_FALSE(settings({{"Host", "collect.shop.example"}}).contains("protocol"))
      << "https, the client's own default";
  EXPECT_EQ(ask({"GET", "/v1/projects/wrong/settings", "", {}}, false).status, 401);
}

}  // namespace
}  // namespace vitrine::http
