#include "server/http/event_loop.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <exception>
#include <utility>
#include <vector>

#include "server/http/connection.h"

namespace vitrine::http {
namespace {

// Often enough to honour the shortest timeout within a quarter, rarely enough to cost nothing.
std::chrono::milliseconds sweep_interval(const Limits& limits) {
  const auto shortest =
      std::min({limits.handshake_timeout, limits.header_timeout, limits.body_timeout,
                limits.idle_timeout, limits.write_timeout, limits.linger_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(250));
}

thread_local EventLoop* loop_of_this_thread = nullptr;

}  // namespace

bool EventLoop::after_this_turn(absl::AnyInvocable<void()>&& work) {
  if (loop_of_this_thread == nullptr) return false;
  net::post(loop_of_this_thread->context_, std::move(work));
  return true;
}

bool EventLoop::is_own(const LoopDoor& door) {
  return loop_of_this_thread != nullptr && loop_of_this_thread->door_.get() == &door;
}

EventLoop::EventLoop(ServerContext& server)
    : server_(server), door_(std::make_shared<LoopDoor>(context_)) {
  refresh_date();
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::start() {
  net::co_spawn(context_, sweep(), net::detached);
  thread_ = std::thread([this] {
    loop_of_this_thread = this;
    while (!context_.stopped()) {
      try {
        context_.run();
      } catch (const std::exception& error) {
        server_.log.error("event=connection_threw error=\"{}\"", error.what());
      }
    }
  });
}

void EventLoop::drain() {
  door_->post([this] {
    is_draining_ = true;
    for (Connection* connection : connections_) connection->close_if_idle();
  });
}

void EventLoop::stop() {
  door_->close();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::adopt(Socket socket, bool is_control, std::uint64_t peer) {
  connection_count_.fetch_add(1);
  server_.connections_gauge.set(static_cast<double>(server_.connection_count.fetch_add(1) + 1));
  net::co_spawn(
      context_,
      [this, socket = std::move(socket), is_control, peer]() mutable -> Task<void> {
        Connection connection(*this, std::move(socket), is_control, peer);
        co_await connection.serve();
      },
      net::detached);
}

void EventLoop::leave(Connection& connection) {
  connections_.erase(&connection);
  connection_count_.fetch_sub(1);
  server_.connections_gauge.set(static_cast<double>(server_.connection_count.fetch_sub(1) - 1));
}

void EventLoop::refresh_date() {
  const TimeMs second = server_.clock.now_ms() / k_second_ms;
  if (second == date_second_) return;
  date_second_ = second;
  const auto time = static_cast<std::time_t>(second);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  // The C locale's names: the process never sets another.
  date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

Task<void> EventLoop::sweep() {
  Timer timer(context_);
  const auto interval = sweep_interval(server_.limits);
  for (;;) {
    timer.expires_after(interval);
    co_await timer.async_wait(use_task);
    refresh_date();
    const std::int64_t now_us = steady_us();
    for (Connection* connection : connections_) connection->expire_if_late(now_us);
  }
}

}  // namespace vitrine::http
