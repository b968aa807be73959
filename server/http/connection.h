// One client: reads a request, lets the router answer, writes the answer as one flat buffer, and
// again.
//
// Belongs to its event loop's thread. Only a Reply may come from elsewhere; it finds its way back
// through ReplySlot.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/asio.h"
#include "server/http/event_loop.h"
#include "server/http/request_parser.h"
#include "server/http/response.h"
#include "server/http/stream.h"

namespace vitrine::http {

class Connection {
 public:
  // `peer`: see Request.
  Connection(EventLoop& loop, Socket socket, bool is_control, std::uint64_t peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Until the client leaves, misbehaves, or the server drains.
  Task<void> serve();

  void close_if_idle();
  // Cancels what the connection waits for once its deadline has passed.
  void expire_if_late(std::int64_t now_us);

 private:
  enum class Arrival { part, request, refused };
  // Where an answer that comes later finds its connection, if it still lives.
  struct ReplySlot {
    std::shared_ptr<LoopDoor> door;
    Connection* connection;  // null once gone; read on the loop's thread only
  };

  void begin_request();
  Arrival take_in();
  std::size_t read_size() const;
  void refuse_cut_short(const ErrorCode& error);
  void dispatch();
  static void deliver(const std::shared_ptr<ReplySlot>& slot, Response&& response);
  void refuse(const Refusal& refusal);
  void compose();
  void give_back_large_buffers();
  // How many bytes went out.
  std::size_t send_at_once(std::string_view bytes, ErrorCode& error);
  Task<bool> send(std::string_view bytes);
  Task<void> linger();
  void start_phase_clock();
  void set_deadline(std::chrono::milliseconds timeout);

  EventLoop& loop_;
  const Limits& limits_;
  Stream socket_;
  const bool is_control_;
  const std::uint64_t peer_;
  boost::beast::flat_buffer input_;
  std::optional<RequestParser> parser_;
  std::string output_;
  std::string request_id_;
  std::shared_ptr<ReplySlot> slot_;
  Timer answered_;  // never expires: cancelling it wakes the waiting coroutine
  std::optional<Response> response_;
  const std::chrono::milliseconds* phase_timeout_ = nullptr;  // of a phase just begun
  std::int64_t deadline_us_;
  bool is_shaking_hands_;       // TLS: nothing has been asked yet
  bool is_idle_ = true;         // waits for the first byte of a request
  bool is_started_ = false;     // some of the request is there
  bool has_header_ = false;     // all of its header is
  bool owes_continue_ = false;  // the client waits to be told to send the body
  bool timed_out_ = false;
  bool keep_alive_ = false;
  bool is_head_ = false;
};

}  // namespace vitrine::http
