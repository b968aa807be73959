#include "server/http/stream.h"

#include <boost/asio/write.hpp>

namespace vitrine::http {

Task<void> Stream::wait_for(TlsSession::State wanted, ErrorCode& error) {
  error.clear();
  if (wanted == TlsSession::State::closed) {
    error = net::error::eof;
    co_return;
  }
  co_await socket_.async_wait(
      wanted == TlsSession::State::wants_read ? Socket::wait_read : Socket::wait_write,
      net::redirect_error(use_task, error));
}

Task<std::size_t> Stream::read_decrypted(std::span<char> into, ErrorCode& error) {
  error.clear();
  for (;;) {
    const TlsSession::Moved moved = tls_->read(into);
    if (moved.state == TlsSession::State::done) co_return moved.bytes;
    co_await wait_for(moved.state, error);
    if (error) co_return 0;
  }
}

Task<void> Stream::write_all(std::string_view bytes, ErrorCode& error) {
  error.clear();
  if (!tls_) {
    co_await net::async_write(socket_, net::buffer(bytes.data(), bytes.size()),
                              net::redirect_error(use_task, error));
    co_return;
  }
  while (!bytes.empty()) {
    const TlsSession::Moved moved = tls_->write(bytes);
    if (moved.state == TlsSession::State::done) {
      bytes.remove_prefix(moved.bytes);
      continue;
    }
    co_await wait_for(moved.state, error);
    if (error) co_return;
  }
}

}  // namespace vitrine::http
