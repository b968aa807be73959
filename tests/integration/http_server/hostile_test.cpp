// What no client should send: each gets the documented error, its connection ends, the server lives
// on.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "server_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

std::string repeated(std::string_view text, std::size_t times) {
  std::string whole;
  for (std::size_t i = 0; i < times; ++i) whole += text;
  return whole;
}

struct HostileCase {
  std::string name;
  std::string bytes;
  int status;
  std::string says;          // in the body
  bool closes = true;        // the connection ends afterwards
  bool half_closes = false;  // the client ends its side after sending
};

class HostileTest : public ServerFixture, public ::testing::WithParamInterface<HostileCase> {};

TEST_P(HostileTest, IsAnsweredAsDocumentedAndLeavesTheServerAlive) {
  const HostileCase& hostile = GetParam();
  start();
  RawClient client = connect();

  client.send(hostile.bytes);
  if (hostile.half_closes) client.close_writing();
  const auto answer = client.receive();

  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, hostile.status) << answer->head << answer->body;
  EXPECT_THAT(answer->body, HasSubstr(R"({"error":{"code":)"));
  EXPECT_THAT(answer->body, HasSubstr(hostile.says));
  const std::string request_id = answer->header("X-Request-Id");
  EXPECT_EQ(request_id.size(), 26U);
  EXPECT_THAT(answer->body, HasSubstr(request_id));
  if (hostile.closes) {
    EXPECT_EQ(answer->header("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
  } else {
    const auto next = client.ask(get("/healthz"));
    ASSERT_TRUE(next.has_value()) << "the connection goes on";
    EXPECT_EQ(next->status, 200);
  }
  expect_alive();
}

const HostileCase k_hostile_cases[] = {
    {"Garbage", "\x01\x02\xFF\xFE garbage\r\n\r\n", 400, "invalid_argument"},
    {"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11) + "\r\n\r\n", 400,
     "invalid_argument"},
    {"NoVersion", "GET /healthz\r\n\r\n", 400, "invalid_argument"},
    {"BadVersion", "GET /healthz HTTP/3.7\r\nHost: localhost\r\n\r\n", 400, "invalid_argument"},
    {"SpaceInTarget", "GET /heal thz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "invalid_argument"},
    {"AuthorityAsTarget", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400,
     "must start with '/'"},
    {"HeaderWithoutColon", "GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n", 400,
     "invalid_argument"},
    {"NoHost", "GET /healthz HTTP/1.1\r\n\r\n", 400, "one Host header"},
    {"TwoHosts", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400,
     "one Host header"},
    {"LongTarget", "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431,
     "at most 16384 bytes"},
    {"LongHeader",
     "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", 431,
     "too_large"},
    {"HeaderFlood",
     "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + repeated("X-Flood: 1\r\n", 100'000) + "\r\n",
     431, "too_large"},
    {"BodyOverLimit", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n",
     413, "at most 1048576 bytes"},
    {"BodyOverLimitSent", post("/echo", std::string(3'000'000, 'x')), 413, "too_large"},
    {"ChunkedOverLimit",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
         repeated(fmt::format("{:x}\r\n{}\r\n", 100'000, std::string(100'000, 'x')), 11),
     413, "too_large"},
    {"ChunkExtensionFlood",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
         repeated("1;a=" + std::string(1000, 'e') + "\r\nx\r\n", 20),
     431, "too_large"},
    {"TrailerFlood",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" +
         repeated("T: " + std::string(1000, 't') + "\r\n", 20) + "\r\n",
     431, "too_large"},
    {"BadChunkSize",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
     "invalid_argument"},
    {"NegativeLength", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nhello",
     400, "invalid_argument"},
    {"TwoLengths",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: "
     "6\r\n\r\nhello",
     400, "invalid_argument"},
    {"LengthAndChunked",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400, "invalid_argument"},
    {"UnknownTransferEncoding",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nx", 400,
     "invalid_argument"},
    {"HeadersCutOff", "GET /healthz HTTP/1.1\r\nHost: loc", 400, "ended before", true, true},
    {"BodyCutOff", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nshort",
     400, "ended before", true, true},
    {"ChunksCutOff",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 400,
     "ended before", true, true},
    {"DeepJson", post("/json", repeated("[", 33) + repeated("]", 33)), 400, "deeper than 32",
     false},
    {"VeryDeepJson", post("/json", repeated("[", 500'000)), 400, "deeper than 32", false},
    {"BrokenJson", post("/json", "{\"a\":"), 400, "must be JSON", false},
    {"TwoJsonValues", post("/json", "{} {}"), 400, "must be JSON", false},
    {"InvalidUtf8Json", post("/json", "{\"a\":\"\xC3\x28\"}"), 400, "must be JSON", false},
    {"EmptyJson", post("/json", ""), 400, "must be JSON", false},
    {"BrokenEscape", get("/healthz?a=%zz"), 400, "two hex digits", false},
    {"NulInQuery", get("/healthz?a=%00"), 400, "two hex digits", false},
    {"UnknownRoute", get("/nowhere"), 404, "not_found", false},
    {"WrongMethod", post("/healthz", "{}"), 405, "GET, HEAD", false},
    {"UnknownMethod", "BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 405,
     "method_not_allowed", false},
    {"ForeignHost", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "loopback", false},
    {"ForeignOrigin",
     "GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403,
     "loopback", false},
    {"DroppedReply", get("/dropped"), 500, "internal", false},
    {"ThrowingHandler", get("/throws"), 500, "internal", false},
};

INSTANTIATE_TEST_SUITE_P(Table, HostileTest, ::testing::ValuesIn(k_hostile_cases),
                         [](const auto& named) { return named.param.name; });

class SlowTest : public ServerFixture {
 protected:
  SlowTest() {
    options_.limits.header_timeout = std::chrono::milliseconds(60);
    options_.limits.body_timeout = std::chrono::milliseconds(60);
    options_.limits.idle_timeout = std::chrono::milliseconds(60);
    options_.limits.write_timeout = std::chrono::milliseconds(60);
    options_.limits.linger_timeout = std::chrono::milliseconds(60);
    start();
  }
};

TEST_F(SlowTest, HeadersThatNeverEndAreTimedOut) {
  RawClient client = connect();
  const auto answer = client.ask("GET /healthz HTTP/1.1\r\nHos");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 408);
  EXPECT_THAT(answer->body, HasSubstr("headers must arrive within 60 ms"));
  EXPECT_TRUE(client.is_closed());
  expect_alive();
}

TEST_F(SlowTest, ABodyThatNeverEndsIsTimedOut) {
  RawClient client = connect();
  const auto answer =
      client.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 408);
  EXPECT_THAT(answer->body, HasSubstr("body must arrive within 60 ms"));
  EXPECT_TRUE(client.is_closed());
  expect_alive();
}

TEST_F(SlowTest, AnIdleConnectionIsClosedWithoutAWord) {
  RawClient fresh = connect();
  EXPECT_TRUE(fresh.is_closed());
  RawClient used = connect();
  ASSERT_TRUE(used.ask(get("/healthz")).has_value());
  EXPECT_TRUE(used.is_closed());
}

TEST_F(SlowTest, AClientThatDoesNotTakeItsAnswerIsCutOff) {
  RawClient client = RawClient::to_port(server_->port(), 16 * 1024);
  client.send(get("/large"));
  // Reading starts only after the server has given up: it has begun an answer and has no connection
  // left.
  while (metrics_.text().find(R"(requests_total{route="/large",status="2xx"} 1)") ==
             std::string::npos ||
         metrics_.text().find("vitrine_http_connections 0") == std::string::npos) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(client.receive().has_value()) << "the answer is cut short";
  expect_alive();
}

TEST_F(SlowTest, AHandlerMayTakeLongerThanAnyTimeout) {
  RawClient client = connect();
  client.send(get("/later"));
  std::vector<Reply> replies = take_replies(1);
  EXPECT_TRUE(RawClient(connect()).is_closed()) << "a whole idle timeout has passed";
  replies[0].send(json_response("{}"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

class CrowdTest : public ServerFixture {};

TEST_F(CrowdTest, AConnectionOverTheLimitIsTurnedAway) {
  options_.limits.max_connections = 2;
  start();
  RawClient first = connect();
  RawClient second = connect();
  ASSERT_TRUE(first.ask(get("/healthz")).has_value());
  ASSERT_TRUE(second.ask(get("/healthz")).has_value());

  RawClient third = connect();
  const auto refused = third.receive();

  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->header("Retry-After"), "1");
  EXPECT_THAT(refused->body, HasSubstr("unavailable"));
  ASSERT_TRUE(first.ask(get("/healthz")).has_value()) << "those inside are served";
}

}  // namespace
}  // namespace vitrine::http
