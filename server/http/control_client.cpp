#include "server/http/control_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>

#include "base/status.h"

namespace vitrine::http {

namespace beast = boost::beast;
using LocalStream = boost::asio::local::stream_protocol;

struct ControlClient::Connection {
  boost::asio::io_context context;
  LocalStream::socket socket{context};
  beast::flat_buffer buffer;
};

ControlClient::ControlClient(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
ControlClient::ControlClient(ControlClient&&) noexcept = default;
ControlClient& ControlClient::operator=(ControlClient&&) noexcept = default;
ControlClient::~ControlClient() = default;

absl::StatusOr<ControlClient> ControlClient::connect(const std::filesystem::path& socket) {
  // sockaddr_un holds no longer path; Asio would throw.
  constexpr std::size_t k_path_bytes_max = 107;
  if (socket.native().size() > k_path_bytes_max) {
    return not_found("{} is longer than a socket's path may be ({} bytes)", socket.string(),
                     k_path_bytes_max);
  }
  auto connection = std::make_unique<Connection>();
  boost::system::error_code error;
  connection->socket.connect(LocalStream::endpoint(socket.native()), error);
  if (error) return not_found("nobody listens on {}: {}", socket.string(), error.message());
  return ControlClient(std::move(connection));
}

absl::StatusOr<ControlAnswer> ControlClient::call(std::string_view method, std::string_view target,
                                                  std::string body) {
  beast::http::request<beast::http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(beast::http::field::host, "localhost");
  if (!body.empty()) request.set(beast::http::field::content_type, "application/json");
  request.body() = std::move(body);
  request.prepare_payload();

  boost::system::error_code error;
  beast::http::write(connection_->socket, request, error);
  if (error) return unavailable("the server went away: {}", error.message());

  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  beast::http::read(connection_->socket, connection_->buffer, parser, error);
  if (error) return unavailable("the server went away before it answered: {}", error.message());
  return ControlAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace vitrine::http
