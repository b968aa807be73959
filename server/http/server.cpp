#include "server/http/server.h"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstring>
#include <future>
#include <vector>

#include "base/status.h"
#include "server/http/asio.h"
#include "server/http/event_loop.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

using Acceptor = net::basic_socket_acceptor<net::generic::stream_protocol, Executor>;
using Unix = net::local::stream_protocol;
using Tcp = net::ip::tcp;

constexpr std::chrono::milliseconds k_accept_pause{
    100};  // when the process has no descriptors left
constexpr std::chrono::milliseconds k_drain_poll{5};
constexpr std::size_t k_max_threads = 256;
constexpr std::size_t k_max_socket_path = 107;  // bytes; what the operating system's address holds

absl::Status cannot_listen(std::string_view where, const ErrorCode& error) {
  return unavailable("cannot listen on {}: {}", where, error.message());
}

absl::Status listen_tcp(Acceptor& acceptor, const ServerOptions& options) {
  ErrorCode error;
  const auto address = net::ip::make_address(options.address, error);
  if (error) {
    return invalid_argument("listen address must be a numeric IPv4 or IPv6 address, got '{}'",
                            options.address);
  }
  const Tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) return absl::OkStatus();
  return cannot_listen(fmt::format("{}:{}", options.address, options.port), error);
}

// A socket file left by a process that is gone is in the way; one that still answers is somebody's.
absl::Status clear_socket_file(const std::string& path) {
  net::io_context context;
  Unix::socket probe(context);
  ErrorCode error;
  probe.connect(Unix::endpoint(path), error);
  if (!error) return unavailable("another server listens on {}", path);
  std::error_code ignored;
  if (std::filesystem::is_socket(path, ignored)) std::filesystem::remove(path, ignored);
  return absl::OkStatus();
}

absl::Status listen_unix(Acceptor& acceptor, const std::string& path) {
  if (path.size() > k_max_socket_path) {
    return invalid_argument("the control socket's path must have at most {} bytes, got {}: {}",
                            k_max_socket_path, path.size(), path);
  }
  VITRINE_RETURN_IF_ERROR(clear_socket_file(path));
  const Unix::endpoint endpoint(path);
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  // Before bind: Linux gives the file the socket's own mode, so that there is no moment at which
  // others may connect.
  if (!error && fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  return error ? cannot_listen(path, error) : absl::OkStatus();
}

// What a connection over the limit is told, as far as its socket takes it at once.
std::string full_house() {
  const Response response =
      error_response(unavailable("the server holds as many connections as it may; try again"), "");
  return fmt::format(
      "HTTP/1.1 503 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
      "X-Content-Type-Options: nosniff\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{}",
      reason_of(503), response.body.size(), response.body);
}

std::uint64_t peer_of(const Socket& socket) {
  ErrorCode error;
  const auto remote = socket.remote_endpoint(error);
  if (error || remote.size() > Tcp::endpoint().capacity()) return 0;
  Tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), remote.data(), remote.size());
  endpoint.resize(remote.size());
  return address_number(endpoint.address().to_string());
}

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, std::unique_ptr<Certificate> certificate,
             const Router& router, const Clock& clock, Metrics& metrics, Log& log)
      : options_(options),
        certificate_(std::move(certificate)),
        context_{router,
                 clock,
                 log,
                 options.limits,
                 certificate_.get(),
                 metrics.gauge("vitrine_http_connections", "Open connections"),
                 metrics.counter("vitrine_http_timeouts_total", "Requests cut off as too slow"),
                 metrics.counter("vitrine_http_refused_total",
                                 "Requests refused before any route saw them")},
        expiry_gauge_(metrics.gauge("vitrine_http_certificate_expiry_seconds",
                                    "When the certificate in use expires, in seconds since 1970; "
                                    "0 without TLS")) {
    show_expiry();
    for (std::size_t i = 0; i < options.threads; ++i) {
      loops_.push_back(std::make_unique<EventLoop>(context_));
    }
    tcp_ = std::make_unique<Acceptor>(loops_[0]->context());
    control_ = std::make_unique<Acceptor>(loops_[0]->context());
  }
  ~AsioServer() override { stop(); }

  absl::Status listen() {
    VITRINE_RETURN_IF_ERROR(listen_tcp(*tcp_, options_));
    ErrorCode error;
    const auto local = tcp_->local_endpoint(error);
    if (error) return cannot_listen(options_.address, error);
    Tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), local.data(), local.size());
    endpoint.resize(local.size());
    port_ = endpoint.port();
    if (options_.control_socket.empty()) return absl::OkStatus();
    return listen_unix(*control_, options_.control_socket.string());
  }

  void run() {
    net::co_spawn(loops_[0]->context(), accept(*tcp_, false), net::detached);
    if (control_->is_open()) {
      net::co_spawn(loops_[0]->context(), accept(*control_, true), net::detached);
    }
    for (const auto& loop : loops_) loop->start();
    is_running_ = true;
  }

  std::uint16_t port() const override { return port_; }

  void reload_certificate() override {
    if (certificate_ == nullptr) return;
    const absl::Status read = certificate_->reload(context_.clock.now_ms());
    if (read.ok()) {
      last_complaint_.clear();
      show_expiry();
      context_.log.info("event=certificate_reloaded expires={}",
                        format_time(certificate_->expires_ms()));
    } else if (message_of(read) != last_complaint_) {
      last_complaint_ = message_of(read);
      context_.log.warning("event=certificate_refused error=\"{}\"", last_complaint_);
    }
  }

  void look_at_certificate() override {
    if (certificate_ != nullptr && certificate_->has_changed()) reload_certificate();
  }

  std::size_t stop() override {
    if (!is_running_) return 0;
    is_running_ = false;
    close_acceptors();
    for (const auto& loop : loops_) loop->drain();
    const std::int64_t until_us =
        steady_us() + std::chrono::microseconds(options_.limits.drain_timeout).count();
    while (context_.connection_count.load() > 0 && steady_us() < until_us) {
      std::this_thread::sleep_for(k_drain_poll);
    }
    const std::size_t cut = context_.connection_count.load();
    for (const auto& loop : loops_) loop->stop();
    if (cut > 0) context_.log.warning("event=connections_cut count={}", cut);
    return cut;
  }

 private:
  Task<void> accept(Acceptor& acceptor, bool is_control) {
    Timer pause(loops_[0]->context());
    while (acceptor.is_open()) {
      ErrorCode error;
      co_await acceptor.async_wait(Acceptor::wait_read, net::redirect_error(use_task, error));
      while (!error && acceptor.is_open()) {
        EventLoop& loop = least_loaded();
        Socket socket(loop.context());
        acceptor.accept(socket, error);
        if (!error) welcome(loop, std::move(socket), is_control);
      }
      if (error == net::error::would_block || error == net::error::operation_aborted) continue;
      context_.log.warning("event=accept_failed error=\"{}\"", error.message());
      pause.expires_after(k_accept_pause);
      co_await pause.async_wait(net::redirect_error(use_task, error));
    }
  }

  void welcome(EventLoop& loop, Socket socket, bool is_control) {
    ErrorCode ignored;
    socket.non_blocking(true, ignored);
    if (!is_control) socket.set_option(Tcp::no_delay(true), ignored);
    if (context_.connection_count.load() < options_.limits.max_connections) {
      const std::uint64_t peer = is_control ? 0 : peer_of(socket);
      return loop.adopt(std::move(socket), is_control, peer);
    }
    context_.refused_counter.add();
    if (certificate_ != nullptr && !is_control) return;  // plain text would be no answer
    socket.write_some(net::buffer(full_house_), ignored);
  }

  EventLoop& least_loaded() {
    const auto fewest = std::min_element(
        loops_.begin(), loops_.end(),
        [](const auto& a, const auto& b) { return a->connection_count() < b->connection_count(); });
    return **fewest;
  }

  void show_expiry() {
    if (certificate_ == nullptr) return;
    expiry_gauge_.set(static_cast<double>(certificate_->expires_ms()) / k_second_ms);
  }

  // On their loop's thread, and waited for: once stop() returns, nobody can come in.
  void close_acceptors() {
    std::promise<void> closed;
    loops_[0]->door()->post([this, &closed] {
      ErrorCode ignored;
      tcp_->close(ignored);
      const bool had_control = control_->is_open();
      control_->close(ignored);
      std::error_code also_ignored;
      if (had_control) std::filesystem::remove(options_.control_socket, also_ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  const ServerOptions options_;
  const std::unique_ptr<Certificate> certificate_;  // null: plain HTTP
  const std::string full_house_ = full_house();
  ServerContext context_;
  Gauge& expiry_gauge_;
  std::string last_complaint_;  // about the certificate's files: told once
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::unique_ptr<Acceptor> tcp_;
  std::unique_ptr<Acceptor> control_;
  std::uint16_t port_ = 0;
  bool is_running_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                      const Router& router, const Clock& clock,
                                                      Metrics& metrics, Log& log) {
  if (options.threads < 1 || options.threads > k_max_threads) {
    return invalid_argument("threads must be between 1 and {}, got {}", k_max_threads,
                            options.threads);
  }
  std::unique_ptr<Certificate> certificate;
  if (options.tls) {
    VITRINE_ASSIGN_OR_RETURN(certificate, Certificate::open(*options.tls, clock.now_ms()));
  }
  auto server =
      std::make_unique<AsioServer>(options, std::move(certificate), router, clock, metrics, log);
  VITRINE_RETURN_IF_ERROR(server->listen());
  server->run();
  return server;
}

absl::StatusOr<ListenAddress> parse_listen_address(std::string_view text) {
  const auto wrong = [&] {
    return invalid_argument("listen address must be like 127.0.0.1:8080 or [::1]:8080, got '{}'",
                            text);
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    return wrong();
  }
  ListenAddress parsed;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + colon + 1, end, parsed.port);
  ErrorCode error;
  net::ip::make_address(std::string(address), error);
  if (error || number.ec != std::errc() || number.ptr != end) return wrong();
  parsed.address = address;
  return parsed;
}

std::uint64_t address_number(std::string_view text) {
  ErrorCode error;
  auto address = net::ip::make_address(std::string(text), error);
  if (error || address.is_loopback()) return 0;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
    if (address.is_loopback()) return 0;
  }
  if (address.is_v4()) return address.to_v4().to_uint();
  std::uint64_t network = 0;  // its first 64 bits, which are never so few as an IPv4 address
  const auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 0; i < sizeof(network); ++i) network = network << 8 | bytes[i];
  return network | std::uint64_t{1} << 63;
}

bool is_loopback_address(std::string_view address) {
  ErrorCode error;
  const auto parsed = net::ip::make_address(std::string(address), error);
  return !error && parsed.is_loopback();
}

}  // namespace vitrine::http
