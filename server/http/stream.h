// A connection's socket, plain or encrypted: what Connection uses of Asio's sockets, with the same
// names.
//
// Belongs to its event loop's thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "server/http/asio.h"
#include "server/http/tls.h"

namespace vitrine::http {

class Stream {
 public:
  using Token = net::redirect_error_t<net::use_awaitable_t<Executor>>;

  // `certificate` is null for a plain one.
  Stream(Socket socket, const Certificate* certificate) : socket_(std::move(socket)) {
    if (certificate != nullptr) tls_.emplace(*certificate, socket_.native_handle());
  }

  Task<std::size_t> async_read_some(net::mutable_buffer into, Token token) {
    if (!tls_) return socket_.async_read_some(into, std::move(token));
    return read_decrypted({static_cast<char*>(into.data()), into.size()}, token.ec_);
  }

  // `would_block` when nothing can be written now.
  std::size_t write_some(net::const_buffer bytes, ErrorCode& error) {
    if (!tls_) return socket_.write_some(bytes, error);
    const auto moved = tls_->write({static_cast<const char*>(bytes.data()), bytes.size()});
    if (moved.state != TlsSession::State::done) {
      error = moved.state == TlsSession::State::closed ? ErrorCode(net::error::connection_reset)
                                                       : ErrorCode(net::error::would_block);
    }
    return moved.bytes;
  }

  // All of it.
  Task<void> write_all(std::string_view bytes, ErrorCode& error);

  void shutdown(Socket::shutdown_type what, ErrorCode& error) {
    if (tls_) tls_->say_goodbye();
    socket_.shutdown(what, error);
  }
  void cancel(ErrorCode& error) { socket_.cancel(error); }

 private:
  Task<std::size_t> read_decrypted(std::span<char> into, ErrorCode& error);
  Task<void> wait_for(TlsSession::State wanted, ErrorCode& error);

  Socket socket_;
  std::optional<TlsSession> tls_;
};

}  // namespace vitrine::http
