#include "server/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/crypto.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_read_bytes = 4 * 1024;
constexpr std::size_t k_body_read_bytes = 64 * 1024;
constexpr std::size_t k_kept_buffer_bytes = 64 * 1024;  // larger ones are given back after use
// Of this thread: whose handler runs right now. Compared with, never followed.
thread_local const void* slot_being_dispatched = nullptr;

constexpr std::int64_t k_no_deadline = std::numeric_limits<std::int64_t>::max();

}  // namespace

Connection::Connection(EventLoop& loop, Socket socket, bool is_control)
    : loop_(loop),
      limits_(loop.server().limits),
      socket_(std::move(socket), is_control ? nullptr : loop.server().certificate),
      is_control_(is_control),
      slot_(std::make_shared<ReplySlot>(ReplySlot{loop.door(), this})),
      answered_(loop.context(), Timer::time_point::max()),
      deadline_us_(k_no_deadline) {
  loop_.enter(*this);
}

Connection::~Connection() {
  slot_->connection = nullptr;
  loop_.leave(*this);
}

void Connection::set_deadline(std::chrono::milliseconds timeout) {
  deadline_us_ = steady_us() + std::chrono::microseconds(timeout).count();
}

void Connection::expire_if_late(std::int64_t now_us) {
  if (now_us < deadline_us_) return;
  timed_out_ = true;
  deadline_us_ = k_no_deadline;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

void Connection::close_if_idle() {
  if (!is_idle_) return;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

Task<void> Connection::serve() {
  std::size_t answered_in_a_row = 0;
  for (;;) {
    const Arrival arrival = co_await receive();
    if (arrival == Arrival::closed) co_return;
    if (arrival == Arrival::request) dispatch();
    while (!response_) {
      ErrorCode ignored;
      co_await answered_.async_wait(net::redirect_error(use_task, ignored));
    }
    const bool sent = co_await answer();
    if (!sent) co_return;
    if (!keep_alive_) break;
    if (input_.size() > 0 && ++answered_in_a_row >= limits_.max_pipelined) {
      answered_in_a_row = 0;
      co_await net::post(loop_.context(), use_task);
    }
  }
  co_await linger();
}

// Reads until a request is complete. A refusal leaves its answer in response_.
Task<Connection::Arrival> Connection::receive() {
  request_id_ = make_ulid(loop_.server().clock.now_ms());
  parser_.emplace(limits_, is_control_);
  timed_out_ = false;
  keep_alive_ = false;
  bool started = false;
  bool header_done = false;
  set_deadline(limits_.idle_timeout);
  for (;;) {
    // A client may send an empty line after a body (RFC 9112, 2.2).
    while (!started && input_.size() > 0) {
      const char first = *static_cast<const char*>(input_.data().data());
      if (first != '\r' && first != '\n') {
        started = true;
        set_deadline(limits_.header_timeout);
      } else {
        input_.consume(1);
      }
    }
    if (started && input_.size() > 0) {
      const auto progress =
          parser_->take(static_cast<const char*>(input_.data().data()), input_.size());
      input_.consume(progress.taken);
      if (progress.refusal) {
        refuse(*progress.refusal);
        co_return Arrival::refused;
      }
      if (parser_->is_done()) co_return Arrival::request;
      if (parser_->is_header_done() && !header_done) {
        header_done = true;
        set_deadline(limits_.body_timeout);
        if (parser_->expects_continue() && !co_await send("HTTP/1.1 100 Continue\r\n\r\n")) {
          co_return Arrival::closed;
        }
        set_deadline(limits_.body_timeout);
      }
      if (progress.taken > 0) continue;
    }
    const bool came = co_await read_more(started);
    if (!came) co_return response_ ? Arrival::refused : Arrival::closed;
  }
}

std::size_t Connection::read_size() const {
  return parser_->is_header_done() ? k_body_read_bytes : k_read_bytes;
}

// False when nothing more comes; then response_ says what to answer to a request cut short, if
// anything.
Task<bool> Connection::read_more(bool request_started) {
  is_idle_ = !request_started;
  if (is_idle_ && loop_.is_draining()) co_return false;
  ErrorCode error;
  const std::size_t count = co_await socket_.async_read_some(input_.prepare(read_size()),
                                                             net::redirect_error(use_task, error));
  is_idle_ = false;
  if (!error) {
    input_.commit(count);
    co_return true;
  }
  if (!request_started) co_return false;
  if (timed_out_) {
    loop_.server().timeouts_counter.add();
    refuse({k_request_timeout,
            parser_->is_header_done()
                ? fmt::format("the body must arrive within {} ms", limits_.body_timeout.count())
                : fmt::format("the headers must arrive within {} ms",
                              limits_.header_timeout.count())});
  } else if (error == net::error::eof) {
    refuse({kind_of(absl::StatusCode::kInvalidArgument), "the request ended before it was whole"});
  }
  co_return false;
}

void Connection::refuse(const Refusal& refusal) {
  loop_.server().refused_counter.add();
  is_head_ = false;
  response_ = error_response(refusal.kind, refusal.message, "", request_id_);
}

void Connection::dispatch() {
  keep_alive_ = parser_->keep_alive();
  Request& request = parser_->request();
  is_head_ = request.method == "HEAD";
  request.request_id = request_id_;
  request.arrived_us = steady_us();
  deadline_us_ = k_no_deadline;  // a handler takes its time; its Reply answers even when dropped
  slot_being_dispatched = slot_.get();
  loop_.server().router.handle(std::move(request),
                               Reply(request_id_, [slot = slot_](Response&& response) {
                                 deliver(slot, std::move(response));
                               }));
  slot_being_dispatched = nullptr;
}

// Runs on whatever thread answers, perhaps long after the loop has ended. An answer from within the
// handler needs no detour through the loop's queue.
void Connection::deliver(const std::shared_ptr<ReplySlot>& slot, Response&& response) {
  if (slot_being_dispatched == slot.get()) {
    slot->connection->response_ = std::move(response);
    return;
  }
  slot->door->post([slot, response = std::move(response)]() mutable {
    if (slot->connection == nullptr) return;
    slot->connection->response_ = std::move(response);
    slot->connection->answered_.cancel();
  });
}

void Connection::compose(const Response& response) {
  output_.clear();
  auto out = std::back_inserter(output_);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_of(response.status),
                 loop_.date());
  if (response.status != 204) {
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                   response.body.size());
  }
  fmt::format_to(out, "X-Request-Id: {}\r\nConnection: {}\r\n", request_id_,
                 keep_alive_ ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) {
    CHECK(value.find_first_of("\r\n") == std::string::npos, "a header is one line");
    fmt::format_to(out, "{}: {}\r\n", name, value);
  }
  output_ += "\r\n";
  if (!is_head_ && response.status != 204) output_ += response.body;
}

Task<bool> Connection::answer() {
  if (loop_.is_draining()) keep_alive_ = false;
  compose(*response_);
  response_.reset();
  const bool sent = co_await send(output_);
  if (output_.capacity() > k_kept_buffer_bytes) output_ = std::string();
  if (input_.size() == 0 && input_.capacity() > k_kept_buffer_bytes) input_.shrink_to_fit();
  co_return sent;
}

// Usually one system call and no detour through the loop: the socket's buffer takes a whole answer.
Task<bool> Connection::send(std::string_view bytes) {
  set_deadline(limits_.write_timeout);
  ErrorCode error;
  std::size_t sent = socket_.write_some(net::buffer(bytes.data(), bytes.size()), error);
  if (error == net::error::would_block) {
    error.clear();
    sent = 0;
  }
  if (!error && sent < bytes.size()) {
    co_await socket_.write_all(bytes.substr(sent), error);
  }
  co_return !error;
}

// Closing with unread bytes would reset the connection and may take the answer with it: say that
// nothing more is sent, and read on for a while.
Task<void> Connection::linger() {
  ErrorCode error;
  socket_.shutdown(Socket::shutdown_send, error);
  set_deadline(limits_.linger_timeout);
  timed_out_ = false;
  while (!error && !timed_out_) {
    input_.clear();
    co_await socket_.async_read_some(input_.prepare(k_body_read_bytes),
                                     net::redirect_error(use_task, error));
  }
}

}  // namespace vitrine::http
