#include "server/http/queue_probe.h"

#include <boost/asio/local/connect_pair.hpp>

#include "base/clock.h"

namespace vitrine::http {

QueueProbe::QueueProbe(net::io_context& context) : in_(context), out_(context) {
  ErrorCode error;
  net::local::connect_pair(in_, out_, error);
  if (!error) in_.non_blocking(true, error);
  if (!error) out_.non_blocking(true, error);
}

void QueueProbe::send(std::int64_t now_us) {
  ErrorCode error;
  // First the wait, then the byte: a byte that is there already would be read past the queue.
  in_.async_wait(Pipe::wait_read, [this](const ErrorCode& failed) {
    if (failed) return;
    ErrorCode ignored;
    in_.read_some(net::buffer(byte_), ignored);
    returned_us_ = steady_us();
    waited_us_ = returned_us_ - sent_us_;
    sent_us_ = 0;
  });
  sent_us_ = now_us;
  out_.write_some(net::buffer(byte_), error);
  if (error) {
    sent_us_ = 0;
    returned_us_ = now_us;
    in_.cancel(error);
  }
}

}  // namespace vitrine::http
