// One thread, one io_context, and the connections that live on it.
//
// Everything but the members that say otherwise belongs to the loop's own thread.
#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/http/asio.h"
#include "server/http/limits.h"
#include "server/http/queue_probe.h"
#include "server/http/router.h"

namespace vitrine::http {

class Certificate;
class Connection;

// How other threads reach a loop that may already be gone: a post after close() is dropped.
// Thread-safe.
class LoopDoor {
 public:
  explicit LoopDoor(net::io_context& context) : context_(&context) {}
  template <class Work>
  void post(Work&& work) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) net::post(*context_, std::forward<Work>(work));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  net::io_context* context_;  // null once closed
};

// What all loops of a server share; outlives them.
struct ServerContext {
  const Router& router;
  const Clock& clock;
  Log& log;
  Limits limits;
  const Certificate* certificate;  // null: plain HTTP
  Gauge& connections_gauge;
  Counter& timeouts_counter;
  Counter& refused_counter;
  std::atomic<std::size_t> connection_count = 0;
};

class EventLoop {
 public:
  explicit EventLoop(ServerContext& server);
  ~EventLoop();  // the thread has ended by then: see stop()

  void start();
  // Any thread. Closes connections that wait for a request; the others close after their answer.
  void drain();
  // Any thread but the loop's own. Ends the thread and cuts what is still open.
  void stop();

  // Any thread. The connection counts from this call on.
  void adopt(Socket socket, bool is_control, std::uint64_t peer);
  std::size_t connection_count() const { return connection_count_.load(); }

  ServerContext& server() { return server_; }
  net::io_context& context() { return context_; }
  // Runs `work` on the loop this thread belongs to, once all that is ready now had its turn. False,
  // and `work` untouched, on any other thread.
  static bool after_this_turn(absl::AnyInvocable<void()>&& work);
  // Whether this thread is that of the loop behind `door`.
  static bool is_own(const LoopDoor& door);
  const std::shared_ptr<LoopDoor>& door() { return door_; }
  bool is_draining() const { return is_draining_; }
  std::string_view date() const { return date_; }  // RFC 9110 form, at most a sweep old

  // How long a request whose turn it is now has waited for it.
  std::int64_t waited_us(std::int64_t now_us) { return probe_.waited_us(now_us); }

  void enter(Connection& connection) { connections_.insert(&connection); }
  void leave(Connection& connection);

 private:
  Task<void> sweep();
  void refresh_date();

  ServerContext& server_;
  net::io_context context_{1};
  net::executor_work_guard<Executor> work_{context_.get_executor()};
  QueueProbe probe_{context_};
  std::shared_ptr<LoopDoor> door_;
  std::thread thread_;
  std::unordered_set<Connection*> connections_;
  std::atomic<std::size_t> connection_count_ = 0;
  bool is_draining_ = false;
  TimeMs date_second_ = -1;
  std::string date_;
};

}  // namespace vitrine::http
