// The HTTP server: sockets in, requests to the router, answers out.
//
// N threads with one event loop each; one acceptor hands a new connection to the loop that has
// fewest. A handler runs on its connection's loop. The same router answers a unix-domain socket for
// commands of this machine (mode 0600, may do everything). Thread-safety: start and stop from one
// thread; ports may be asked from any.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/http/limits.h"
#include "server/http/router.h"
#include "server/http/tls.h"

namespace vitrine::http {

struct ServerOptions {
  std::string address = "127.0.0.1";     // numeric, IPv4 or IPv6
  std::uint16_t port = 8080;             // 0: one that is free
  std::filesystem::path control_socket;  // empty: none
  std::size_t threads = 2;               // [1, 256]
  Limits limits;
  std::optional<Certificate::Files> tls = {};  // HTTPS in place of HTTP; not on the control socket
};

class Server {
 public:
  // `router`, `clock`, `metrics` and `log` must outlive the server, and every Reply handed out must
  // be answered or dropped before they go. Errors   InvalidArgument: an address, thread count or
  // socket path that cannot be; Unavailable: somebody else
  //          listens there
  static absl::StatusOr<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                       const Router& router, const Clock& clock,
                                                       Metrics& metrics, Log& log);
  virtual ~Server() = default;  // stops

  // The TCP port, also when 0 was asked for.
  virtual std::uint16_t port() const = 0;

  // Reads certificate and key anew, for connections that come from now on; those that are there
  // keep theirs. Says in the log what came of it: after an error the former certificate goes on.
  // Nothing without TLS. One thread at a time, not beside stop().
  virtual void reload_certificate() = 0;
  // The same, if the files have changed.
  virtual void look_at_certificate() = 0;

  // Refuses new connections, closes idle ones, lets requests in flight finish and be answered with
  // "Connection: close", at most drain_timeout long. Returns how many connections had to be cut.
  // Calling it again does nothing.
  virtual std::size_t stop() = 0;

 protected:
  Server() = default;
};

// Splits "127.0.0.1:8080" or "[::1]:8080".
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
};
absl::StatusOr<ListenAddress> parse_listen_address(std::string_view text);

// An address as Request::peer has it: an IPv4 address, or the first half of an IPv6 one; 0 for a
// loopback address and for what is none.
std::uint64_t address_number(std::string_view address);

// True for 127.0.0.0/8 and ::1: what open mode may listen on.
bool is_loopback_address(std::string_view address);

}  // namespace vitrine::http
