// The server over real sockets: answers, keep-alive, pipelines, late replies, the control socket,
// stopping.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <future>
#include <set>

#include "server_fixture.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, KeepsAConnectionForManyRequestsEachWithItsOwnId) {
  start();
  RawClient client = connect();
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const auto answer = client.ask(post("/echo", fmt::format("{}", i)));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, fmt::format("{}", i));
    EXPECT_EQ(answer->header("Connection"), "keep-alive");
    EXPECT_EQ(answer->header("Content-Type"), "application/json");
    EXPECT_EQ(answer->header("Date").size(), 29U);
    ids.insert(answer->header("X-Request-Id"));
  }
  EXPECT_EQ(ids.size(), 100U);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client = connect();
  std::string together;
  for (int i = 0; i < 500; ++i) together += post("/echo", fmt::format("{}", i));
  client.send(together);
  for (int i = 0; i < 500; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, fmt::format("{}", i));
  }
}

TEST_F(ServerTest, ReadsARequestThatComesByteByByte) {
  start();
  RawClient client = connect();
  for (const char byte : post("/echo", "slowly")) client.send({&byte, 1});
  const auto answer = client.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "slowly");
}

TEST_F(ServerTest, JoinsChunksAndIgnoresTrailers) {
  start();
  RawClient client = connect();
  const auto answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nHost: evil.example\r\n\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello, world");
  EXPECT_TRUE(client.ask(get("/healthz")).has_value());
}

TEST_F(ServerTest, TakesABodyAsLargeAsTheLimit) {
  start();
  const std::string body(options_.limits.max_body_bytes, 'x');
  RawClient client = connect();
  const auto answer = client.ask(post("/echo", body));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, body);
}

TEST_F(ServerTest, SendsALargeAnswerWhole) {
  start();
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(get("/large"));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body.size(), k_large_bytes);
  }
}

TEST_F(ServerTest, InvitesABodyThatWaitsForIt) {
  start();
  RawClient client = connect();
  const auto invited = client.ask(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: "
      "100-continue\r\n\r\n");
  ASSERT_TRUE(invited.has_value());
  EXPECT_EQ(invited->status, 100);
  const auto answer = client.ask("hello");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "hello");
}

TEST_F(ServerTest, ForgivesEmptyLinesBeforeARequest) {
  start();
  RawClient client = connect();
  const auto answer = client.ask("\r\n\r\n" + get("/healthz"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ServerTest, ClosesAfterHttp10AndWhenAskedTo) {
  start();
  for (const std::string_view request :
       {"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"}) {
    RawClient client = connect();
    const auto answer = client.ask(request);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->header("Connection"), "close");
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(ServerTest, AnswersAClientThatHasEndedItsSide) {
  start();
  RawClient client = connect();
  client.send(get("/healthz"));
  client.close_writing();
  const auto answer = client.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  start();
  RawClient client = connect();
  client.send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto answer = client.receive(false);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("Content-Length"), "18");
  const auto next = client.ask(get("/healthz"));
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->body, R"({"status":"alive"})");
}

TEST_F(ServerTest, AReplyMayComeFromAnotherThreadAndInAnyOrder) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back().send(get("/later"));
  }
  std::vector<Reply> replies = take_replies(20);
  std::thread other([&] {
    while (!replies.empty()) {
      Reply reply = std::move(replies.back());
      replies.pop_back();
      reply.send(json_response("\"late\"", 201));
    }
  });
  for (RawClient& client : clients) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "\"late\"");
  }
  other.join();
}

TEST_F(ServerTest, AReplyDroppedOnAnotherThreadAnswers500) {
  start();
  RawClient client = connect();
  client.send(get("/later"));
  std::thread([replies = take_replies(1)]() mutable { replies.clear(); }).join();
  const auto answer = client.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, HasSubstr("internal"));
}

TEST_F(ServerTest, AReplyToAClientThatHasLeftGoesNowhere) {
  start();
  {
    connect().send(get("/later"));
  }
  for (Reply& reply : take_replies(1)) reply.send(json_response("{}"));
  expect_alive();
}

TEST_F(ServerTest, SpreadsConnectionsOverItsThreads) {
  options_.threads = 4;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().ask(get("/threads")).has_value());
  }
  const std::set<std::thread::id> distinct(threads_.begin(), threads_.end());
  EXPECT_EQ(distinct.size(), 4U);
}

TEST_F(ServerTest, CountsRequestsByRouteAndStatus) {
  start();
  RawClient client = connect();
  client.ask(post("/echo", "x"));
  client.ask(get("/nowhere"));
  const auto answer = client.ask(get("/metrics"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->body,
              HasSubstr(R"(vitrine_http_requests_total{route="/echo",status="2xx"} 1)"));
  EXPECT_THAT(answer->body,
              HasSubstr(R"(vitrine_http_requests_total{route="unmatched",status="4xx"} 1)"));
  EXPECT_THAT(answer->body,
              HasSubstr(R"(vitrine_http_request_duration_seconds_count{route="/echo"} 1)"));
  EXPECT_THAT(answer->body, HasSubstr("vitrine_http_connections 1"));
}

TEST_F(ServerTest, TheControlSocketIsForItsOwnerAndMayDoEverything) {
  const TempFolder folder;
  options_.control_socket = folder / "control.sock";
  start();

  RawClient client = RawClient::to_socket(options_.control_socket);
  const auto answer = client.ask("GET /metrics HTTP/1.1\r\nHost: anything.example\r\n\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);

  struct stat facts{};
  ASSERT_EQ(::stat(options_.control_socket.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(ServerTest, TheControlSocketTakesLargerBodies) {
  const TempFolder folder;
  options_.control_socket = folder / "control.sock";
  start();
  RawClient client = RawClient::to_socket(options_.control_socket);
  const std::string body(options_.limits.max_body_bytes * 4, 'x');
  std::thread sender([&] { client.send(post("/echo", body)); });
  const auto answer = client.receive();
  sender.join();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body.size(), body.size());
}

TEST_F(ServerTest, ReplacesASocketFileThatADeadServerLeft) {
  const TempFolder folder;
  options_.control_socket = folder / "control.sock";
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  options_.control_socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(descriptor);

  start();

  EXPECT_TRUE(RawClient::to_socket(options_.control_socket).ask(get("/healthz")).has_value());
  server_->stop();
  EXPECT_FALSE(std::filesystem::exists(options_.control_socket)) << "stopping removes it";
}

TEST_F(ServerTest, RefusesASocketAndAPortThatAreTaken) {
  const TempFolder folder;
  options_.control_socket = folder / "control.sock";
  start();
  ServerOptions second = options_;
  EXPECT_EQ(Server::start(second, router_, clock_, metrics_, *log_).status().code(),
            absl::StatusCode::kUnavailable);
  second.control_socket.clear();
  second.port = server_->port();
  EXPECT_EQ(Server::start(second, router_, clock_, metrics_, *log_).status().code(),
            absl::StatusCode::kUnavailable);
  expect_alive();
}

TEST_F(ServerTest, StopFinishesWhatIsInFlightAndRefusesTheRest) {
  options_.threads = 1;  // so that the idle connection's end shows that the busy one's loop drains
  start();
  RawClient idle = connect();
  ASSERT_TRUE(idle.ask(get("/healthz")).has_value());
  RawClient busy = connect();
  busy.send(get("/later"));
  std::vector<Reply> replies = take_replies(1);

  std::future<std::size_t> cut = std::async(std::launch::async, [&] { return server_->stop(); });
  EXPECT_TRUE(idle.is_closed()) << "idle connections are closed at once";
  replies[0].send(json_response("\"done\""));

  const auto answer = busy.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "\"done\"");
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(busy.is_closed());
  EXPECT_EQ(cut.get(), 0U);
}

TEST_F(ServerTest, StopDoesNotWaitForEverAndLateRepliesAreHarmless) {
  options_.limits.drain_timeout = std::chrono::milliseconds(30);
  start();
  RawClient client = connect();
  client.send(get("/later"));
  std::vector<Reply> replies = take_replies(1);

  EXPECT_EQ(server_->stop(), 1U);
  server_.reset();
  replies[0].send(json_response("{}"));

  EXPECT_FALSE(client.receive().has_value());
}

TEST(ListenAddressTest, ReadsAddressAndPortOrSaysWhatIsAllowed) {
  const auto plain = parse_listen_address("127.0.0.1:8080");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->address, "127.0.0.1");
  EXPECT_EQ(plain->port, 8080);
  const auto six = parse_listen_address("[::1]:0");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->address, "::1");
  for (const std::string_view wrong :
       {"", "8080", "localhost:8080", "127.0.0.1:", "127.0.0.1:99999", "::1:80", "127.0.0.1:8x"}) {
    EXPECT_FALSE(parse_listen_address(wrong).ok()) << wrong;
  }
  EXPECT_TRUE(is_loopback_address("127.3.2.1"));
  EXPECT_TRUE(is_loopback_address("::1"));
  EXPECT_FALSE(is_loopback_address("0.0.0.0"));
  EXPECT_FALSE(is_loopback_address("192.168.0.1"));
}

}  // namespace
}  // namespace vitrine::http
