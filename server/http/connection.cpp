#include "server/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
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

// What a browser must not do with an answer: guess its type, or keep what was made for one person.
constexpr std::string_view k_browser_headers =
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";
// An answer is data. One that were HTML after all could load and run nothing, nor be framed.
constexpr std::string_view k_html_headers =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
constexpr std::string_view k_tls_headers = "Strict-Transport-Security: max-age=31536000\r\n";

constexpr std::int64_t k_no_deadline = std::numeric_limits<std::int64_t>::max();

template <class Text>
std::string_view view(const Text& text) {
  return {text.data(), text.size()};
}

}  // namespace

Connection::Connection(EventLoop& loop, Socket socket, bool is_control, std::uint64_t peer)
    : loop_(loop),
      limits_(loop.server().limits),
      socket_(std::move(socket), is_control ? nullptr : loop.server().certificate),
      is_control_(is_control),
      peer_(peer),
      slot_(std::make_shared<ReplySlot>(ReplySlot{loop.door(), this})),
      answered_(loop.context(), Timer::time_point::max()),
      deadline_us_(k_no_deadline),
      is_shaking_hands_(!is_control && loop.server().certificate != nullptr) {
  loop_.enter(*this);
}

Connection::~Connection() {
  slot_->connection = nullptr;
  loop_.leave(*this);
}

void Connection::set_deadline(std::chrono::milliseconds timeout) {
  deadline_us_ = steady_us() + std::chrono::microseconds(timeout).count();
}

// Before the first wait of a phase: a request that comes whole never looks at the clock.
void Connection::start_phase_clock() {
  if (phase_timeout_ == nullptr) return;
  set_deadline(*std::exchange(phase_timeout_, nullptr));
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

// Everything a request usually needs is done here or in plain functions: a coroutine of its own
// costs as much as parsing.
Task<void> Connection::serve() {
  std::size_t answered_in_a_row = 0;
  for (;;) {
    begin_request();
    Arrival arrival = take_in();
    for (; arrival == Arrival::part; arrival = take_in()) {
      if (std::exchange(owes_continue_, false)) {
        const bool sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return;
        continue;
      }
      start_phase_clock();
      is_idle_ = !is_started_;
      if (is_idle_ && loop_.is_draining()) co_return;
      ErrorCode error;
      const std::size_t count = co_await socket_.async_read_some(
          input_.prepare(read_size()), net::redirect_error(use_task, error));
      is_idle_ = false;
      if (!error) {
        input_.commit(count);
      } else {
        refuse_cut_short(error);
        break;
      }
    }
    if (arrival == Arrival::part && !response_) co_return;
    if (arrival == Arrival::request) dispatch();
    while (!response_) {
      ErrorCode ignored;
      co_await answered_.async_wait(net::redirect_error(use_task, ignored));
    }
    compose();
    ErrorCode error;
    const std::size_t sent = send_at_once(output_, error);
    if (error) co_return;
    if (sent < output_.size()) {
      const bool is_sent = co_await send(std::string_view(output_).substr(sent));
      if (!is_sent) co_return;
    }
    give_back_large_buffers();
    if (!keep_alive_) break;
    // Others first. With nothing left to parse this saves a system call, too: by the time it is
    // this connection's turn again, a busy client has sent its next request, and reading finds it.
    if (input_.size() == 0 || ++answered_in_a_row >= limits_.max_pipelined) {
      answered_in_a_row = 0;
      co_await net::post(loop_.context(), use_task);
    }
  }
  co_await linger();
}

void Connection::begin_request() {
  request_id_ = make_ulid(loop_.server().clock.now_ms());
  parser_.emplace(limits_, is_control_);
  timed_out_ = false;
  keep_alive_ = false;
  is_started_ = false;
  has_header_ = false;
  owes_continue_ = false;
  phase_timeout_ =
      std::exchange(is_shaking_hands_, false) ? &limits_.handshake_timeout : &limits_.idle_timeout;
}

// Parses what has come. A refusal leaves its answer in response_.
Connection::Arrival Connection::take_in() {
  // A client may send an empty line after a body (RFC 9112, 2.2).
  while (!is_started_ && input_.size() > 0) {
    const char first = *static_cast<const char*>(input_.data().data());
    if (first != '\r' && first != '\n') {
      is_started_ = true;
      phase_timeout_ = &limits_.header_timeout;
    } else {
      input_.consume(1);
    }
  }
  while (input_.size() > 0) {
    const auto progress =
        parser_->take(static_cast<const char*>(input_.data().data()), input_.size());
    input_.consume(progress.taken);
    if (progress.refusal) {
      refuse(*progress.refusal);
      return Arrival::refused;
    }
    if (parser_->is_done()) return Arrival::request;
    if (parser_->is_header_done() && !std::exchange(has_header_, true)) {
      owes_continue_ = parser_->expects_continue();
      phase_timeout_ = &limits_.body_timeout;
      if (owes_continue_) break;
    }
    if (progress.taken == 0) break;
  }
  return Arrival::part;
}

std::size_t Connection::read_size() const {
  return parser_->is_header_done() ? k_body_read_bytes : k_read_bytes;
}

// What to answer to a request that nothing more comes of, if anything.
void Connection::refuse_cut_short(const ErrorCode& error) {
  if (!is_started_) return;
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
  request.peer = peer_;
  const std::int64_t now_us = steady_us();
  request.arrived_us = now_us - loop_.waited_us(now_us);
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
  const auto take = [](ReplySlot& from, Response&& answer) {
    if (from.connection == nullptr) return;
    from.connection->response_ = std::move(answer);
    from.connection->answered_.cancel();
  };
  if (EventLoop::is_own(*slot->door)) return take(*slot, std::move(response));
  slot->door->post(
      [slot, take, response = std::move(response)]() mutable { take(*slot, std::move(response)); });
}

void Connection::compose() {
  if (loop_.is_draining()) keep_alive_ = false;
  const Response& response = *response_;
  const auto add = [this](auto... parts) { (output_.append(std::string_view(parts)), ...); };
  const fmt::format_int status(response.status);
  const fmt::format_int size(response.body.size());
  output_.clear();
  add("HTTP/1.1 ", view(status), " ", reason_of(response.status), "\r\nDate: ", loop_.date(),
      "\r\n");
  if (response.status != 204) {
    add("Content-Type: ", response.content_type, "\r\nContent-Length: ", view(size), "\r\n");
  }
  add(k_browser_headers);
  if (response.content_type.starts_with("text/html")) add(k_html_headers);
  if (loop_.server().certificate != nullptr && !is_control_) add(k_tls_headers);
  add("X-Request-Id: ", view(request_id_), "\r\nConnection: ", keep_alive_ ? "keep-alive" : "close",
      "\r\n");
  for (const auto& [name, value] : response.headers) {
    CHECK(value.find_first_of("\r\n") == std::string::npos, "a header is one line");
    add(view(name), ": ", view(value), "\r\n");
  }
  output_ += "\r\n";
  if (!is_head_ && response.status != 204) output_ += response.body;
  response_.reset();
}

void Connection::give_back_large_buffers() {
  if (output_.capacity() > k_kept_buffer_bytes) output_ = std::string();
  if (input_.size() == 0 && input_.capacity() > k_kept_buffer_bytes) input_.shrink_to_fit();
}

// Usually one system call and no detour through the loop: the socket's buffer takes a whole answer.
std::size_t Connection::send_at_once(std::string_view bytes, ErrorCode& error) {
  const std::size_t sent = socket_.write_some(net::buffer(bytes.data(), bytes.size()), error);
  if (error != net::error::would_block) return sent;
  error.clear();
  return 0;
}

Task<bool> Connection::send(std::string_view bytes) {
  set_deadline(limits_.write_timeout);
  ErrorCode error;
  const std::size_t sent = send_at_once(bytes, error);
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
