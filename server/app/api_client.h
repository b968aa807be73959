// A command is an API call: the same requests, whether a server holds the data folder or nobody
// does.
//
// Beside a running server a request goes through its control socket; otherwise the parts are opened
// in this process and their router is asked. One thread at a time.
#pragma once

#include <absl/status/statusor.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/app/config.h"

namespace vitrine::app {

class ApiClient {
 public:
  virtual ~ApiClient() = default;

  // The body of an answer of success; otherwise an error with the code and message of the answer.
  using Answer = absl::StatusOr<std::string>;
  // The answer may come later: the next request can be made meanwhile.
  virtual std::future<Answer> send(std::string_view method, std::string target,
                                   std::string body) = 0;
  Answer call(std::string_view method, std::string target, std::string body = {}) {
    return send(method, std::move(target), std::move(body)).get();
  }

  // Whether a server carries the requests out.
  virtual bool is_beside_server() const = 0;
};

// What an ApiClient is made of; all outlive it.
struct ApiClientParts {
  const Clock& clock;
  Metrics& metrics;
  Log& log;
};

// Errors: those of connecting and of Services::open; FailedPrecondition when another process holds
// the data folder, but does not answer.
absl::StatusOr<std::unique_ptr<ApiClient>> open_api_client(const Config& config,
                                                           const ApiClientParts& parts);

// The same for a command, with parts of its own.
class CommandClient {
 public:
  static absl::StatusOr<std::unique_ptr<CommandClient>> open(const Config& config);
  ApiClient& api() { return *client_; }

 private:
  CommandClient() : log_(Log::to_stderr(Log::Level::warning)) {}
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<ApiClient> client_;
};

// `text` as one segment of a path or one value of a query.
std::string url_encoded(std::string_view text);

}  // namespace vitrine::app
