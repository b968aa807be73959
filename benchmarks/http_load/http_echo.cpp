// http_echo [PORT] [THREADS]: the real server with a route that answers 1.5 KB at once and one that
// answers from another thread. Measured with http_load it shows what HTTP alone costs. Ends with
// its standard input.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/bounded_queue.h"
#include "base/status.h"
#include "server/http/operations.h"
#include "server/http/server.h"

int main(int argc, char** argv) {
  using namespace vitrine;
  http::ServerOptions options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8081);
  options.threads = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 2);

  Metrics metrics;
  const auto log = Log::to_stderr(Log::Level::warning);
  const SystemClock clock;
  BoundedQueue<http::Reply> waiting(100'000);
  http::Router router(http::AccessPolicy::open(), metrics, *log);
  const std::string body = fmt::format("{{\"products\":\"{}\"}}", std::string(1490, 'x'));
  router.add("GET", "/flat", http::Scope::recommend,
             http::answer_at_once([&](http::Request&) { return http::json_response(body); }));
  router.add("GET", "/later", http::Scope::collect,
             [&](http::Request&, http::Reply reply) { waiting.try_push(std::move(reply)); });
  http::add_operations_routes(router, [] { return std::vector<http::Shortcoming>(); }, metrics);

  const auto server = http::Server::start(options, router, clock, metrics, *log);
  if (!server.ok()) {
    fmt::print(stderr, "{}\n", message_of(server.status()));
    return 1;
  }
  std::thread answering([&] {
    for (auto replies = waiting.pop_up_to(1000); !replies.empty();
         replies = waiting.pop_up_to(1000)) {
      for (http::Reply& reply : replies) reply.send(http::json_response("{}"));
    }
  });
  fmt::print("http://127.0.0.1:{}/flat and /later; end of input ends it\n", (*server)->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  (*server)->stop();
  waiting.close();
  answering.join();
  return 0;
}
