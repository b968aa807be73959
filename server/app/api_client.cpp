#include "server/app/api_client.h"

#include <boost/json.hpp>

#include "base/crypto.h"
#include "base/status.h"
#include "server/app/services.h"
#include "server/http/control_client.h"
#include "server/http/router.h"

namespace vitrine::app {
namespace {

absl::StatusCode code_of(int http_status) {
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kAborted;
    case 422:
      return absl::StatusCode::kFailedPrecondition;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

ApiClient::Answer answer_of(int http_status, std::string body) {
  if (http_status >= 200 && http_status < 300) return body;
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse(body, error);
  boost::json::error_code absent;
  const boost::json::value* message =
      error ? nullptr : parsed.find_pointer("/error/message", absent);
  if (message == nullptr || !message->is_string()) {
    return make_status(code_of(http_status), "the server answered {}", http_status);
  }
  return absl::Status(code_of(http_status), std::string(message->get_string()));
}

std::future<ApiClient::Answer> ready(ApiClient::Answer answer) {
  std::promise<ApiClient::Answer> promise;
  promise.set_value(std::move(answer));
  return promise.get_future();
}

class InProcessClient final : public ApiClient {
 public:
  InProcessClient(std::unique_ptr<Services> services, const Clock& clock)
      : services_(std::move(services)), clock_(clock) {}

  std::future<Answer> send(std::string_view method, std::string target, std::string body) override {
    http::Request request;
    request.method = method;
    request.target = std::move(target);
    request.body = std::move(body);
    request.is_control = true;
    std::promise<Answer> promise;
    std::future<Answer> answer = promise.get_future();
    services_->router().handle(
        std::move(request),
        http::Reply(make_ulid(clock_.now_ms()),
                    [promise = std::move(promise)](http::Response&& response) mutable {
                      promise.set_value(answer_of(response.status, std::move(response.body)));
                    }));
    return answer;
  }

  bool is_beside_server() const override { return false; }

 private:
  std::unique_ptr<Services> services_;
  const Clock& clock_;
};

class ControlSocketClient final : public ApiClient {
 public:
  explicit ControlSocketClient(http::ControlClient client) : client_(std::move(client)) {}

  std::future<Answer> send(std::string_view method, std::string target, std::string body) override {
    absl::StatusOr<http::ControlAnswer> answer = client_.call(method, target, std::move(body));
    if (!answer.ok()) return ready(answer.status());
    return ready(answer_of(answer->status, std::move(answer->body)));
  }

  bool is_beside_server() const override { return true; }

 private:
  http::ControlClient client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ApiClient>> open_api_client(const Config& config,
                                                           const ApiClientParts& parts) {
  absl::StatusOr<http::ControlClient> control =
      http::ControlClient::connect(DataLayout(config.data).control_socket);
  if (control.ok()) return std::make_unique<ControlSocketClient>(*std::move(control));
  VITRINE_ASSIGN_OR_RETURN(
      std::unique_ptr<Services> services,
      Services::open(config, Access::everybody, parts.clock, parts.metrics, parts.log, {}));
  return std::make_unique<InProcessClient>(std::move(services), parts.clock);
}

absl::StatusOr<std::unique_ptr<CommandClient>> CommandClient::open(const Config& config) {
  std::unique_ptr<CommandClient> command(new CommandClient());
  VITRINE_ASSIGN_OR_RETURN(
      command->client_,
      open_api_client(config, {command->clock_, command->metrics_, *command->log_}));
  return command;
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view k_plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (k_plain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace vitrine::app
