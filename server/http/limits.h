// Every bound the server puts on what a client may send, hold or delay.
#pragma once

#include <chrono>
#include <cstddef>

namespace vitrine::http {

struct Limits {
  std::size_t max_body_bytes = 1024 * 1024;               // of a request over TCP; beyond: 413
  std::size_t max_inflated_body_bytes = 4 * 1024 * 1024;  // of a body that came packed; beyond: 413
  std::size_t max_control_body_bytes = 64 * 1024 * 1024;  // of a request over the control socket
  std::size_t max_header_bytes = 16 * 1024;               // request line and headers; beyond: 431
  std::size_t max_connections = 10'000;  // TCP and control together; beyond: 503, closed
  std::size_t max_pipelined = 16;        // answered in a row before others get a turn
  std::size_t max_json_depth = 32;       // nesting of a JSON body; beyond: 400
  std::chrono::milliseconds header_timeout{10'000};  // first byte to end of headers; beyond: 408
  std::chrono::milliseconds body_timeout{30'000};    // end of headers to end of body; beyond: 408
  std::chrono::milliseconds handshake_timeout{10'000};  // TLS, to the first byte; beyond: closed
  std::chrono::milliseconds idle_timeout{60'000};       // nothing sent at all; beyond: closed
  std::chrono::milliseconds write_timeout{
      30'000};  // client does not take its answer; beyond: closed
  std::chrono::milliseconds linger_timeout{2'000};  // reads on after a refusal, so that it arrives
  std::chrono::milliseconds drain_timeout{10'000};  // stop waits for requests in flight
};

}  // namespace vitrine::http
