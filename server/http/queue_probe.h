// How long a request waits for its turn on an event loop, measured by one that comes along: a byte
// to itself, which stands in the same queue as what clients send, in the kernel as well as in here.
//
// Sent only beside requests, so that an idle loop sleeps. Belongs to its loop's thread.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>

#include "server/http/asio.h"

namespace vitrine::http {

class QueueProbe {
 public:
  // Without a pair of sockets left in the process it measures nothing and says 0.
  explicit QueueProbe(net::io_context& context);

  // Of a request whose turn it is at `now_us`; sends the next byte when it is time.
  std::int64_t waited_us(std::int64_t now_us) {
    if (sent_us_ != 0) return std::max(waited_us_, now_us - sent_us_);
    const std::int64_t age_us = now_us - returned_us_;
    if (age_us >= k_interval_us) send(now_us);
    return age_us > k_valid_us ? 0 : waited_us_;
  }

 private:
  static constexpr std::int64_t k_interval_us = 2'000;
  static constexpr std::int64_t k_valid_us = 20'000;
  using Pipe = net::basic_stream_socket<net::local::stream_protocol, Executor>;

  void send(std::int64_t now_us);

  Pipe in_;
  Pipe out_;
  std::array<char, 1> byte_{};
  std::int64_t sent_us_ = 0;  // 0: none is on its way
  std::int64_t returned_us_ = 0;
  std::int64_t waited_us_ = 0;
};

}  // namespace vitrine::http
