#include "load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "request_source.h"

namespace vitrine::http_load {
namespace {

constexpr std::int64_t k_second_us = 1'000'000;
constexpr std::int64_t k_patience_us = 5 * k_second_us;  // for answers after the last request
constexpr std::size_t k_events_at_once = 256;

struct Connection {
  int descriptor = -1;
  bool is_waiting = false;  // for an answer
  std::int64_t due_us = 0;  // when the request in flight was due
  std::string received;
  std::size_t expected = 0;  // bytes of the whole answer; 0 until its head is there
  int status = 0;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), source_(options) {}
  ~Load() {
    for (const Connection& connection : connections_) close(connection.descriptor);
    if (poll_ >= 0) close(poll_);
  }

  absl::StatusOr<Outcome> run();

 private:
  absl::Status open(std::size_t index);
  void start_due(std::int64_t now_us);
  void send(std::size_t index, std::int64_t due_us);
  void receive(std::size_t index);
  bool read_answers(std::size_t index);
  void finish(Connection& connection, std::int64_t now_us);
  void lose(std::size_t index);
  void wait(std::int64_t until_us);
  bool is_counted(std::int64_t due_us) const { return due_us >= counted_from_us_; }

  const Options& options_;
  RequestSource source_;
  int poll_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::size_t> idle_;      // the longest idle one is next, so that all take part
  std::deque<std::int64_t> backlog_;  // when each waiting request was due
  std::size_t in_flight_ = 0;
  std::int64_t start_us_ = 0;
  std::int64_t counted_from_us_ = 0;
  std::int64_t end_us_ = 0;
  std::uint64_t scheduled_ = 0;
  std::string request_;
  Outcome outcome_;
};

absl::Status Load::open(std::size_t index) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int reason = errno;
    close(descriptor);
    return unavailable("cannot connect to port {}: {}", options_.port,
                       std::generic_category().message(reason));
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = index;
  epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event);
  connections_[index] = Connection{};
  connections_[index].descriptor = descriptor;
  idle_.push_back(index);
  return absl::OkStatus();
}

// Puts every request that is due by now into the backlog, and as much of the backlog onto idle
// connections as there are.
void Load::start_due(std::int64_t now_us) {
  if (options_.rate > 0) {
    const double interval_us = k_second_us / options_.rate;
    for (;;) {
      const auto due_us =
          start_us_ + static_cast<std::int64_t>(static_cast<double>(scheduled_) * interval_us);
      if (due_us > now_us || due_us >= end_us_) break;
      backlog_.push_back(due_us);
      ++scheduled_;
    }
    while (!backlog_.empty() && !idle_.empty()) {
      const std::int64_t due_us = backlog_.front();
      backlog_.pop_front();
      const std::size_t index = idle_.front();
      idle_.pop_front();
      send(index, due_us);
    }
    outcome_.backlog_max = std::max<std::uint64_t>(outcome_.backlog_max, backlog_.size());
    return;
  }
  while (now_us < end_us_ && !idle_.empty()) {
    const std::size_t index = idle_.front();
    idle_.pop_front();
    send(index, steady_us());
  }
}

void Load::send(std::size_t index, std::int64_t due_us) {
  Connection& connection = connections_[index];
  source_.next(request_);
  connection.is_waiting = true;
  connection.due_us = due_us;
  ++in_flight_;
  if (is_counted(due_us)) ++outcome_.sent;
  std::string_view rest = request_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection.descriptor, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return lose(index);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Load::finish(Connection& connection, std::int64_t now_us) {
  connection.is_waiting = false;
  --in_flight_;
  if (!is_counted(connection.due_us)) return;
  ++outcome_.answered;
  outcome_.bytes_received += connection.expected;
  if (connection.status >= 200 && connection.status < 300) {
    outcome_.latencies_us.push_back(
        static_cast<std::uint32_t>(std::max<std::int64_t>(0, now_us - connection.due_us)));
    return;
  }
  ++outcome_.error_status;
  if (outcome_.first_error_status == 0) outcome_.first_error_status = connection.status;
}

void Load::lose(std::size_t index) {
  Connection& connection = connections_[index];
  if (connection.is_waiting) {
    --in_flight_;
    if (is_counted(connection.due_us)) ++outcome_.cut_off;
  }
  close(connection.descriptor);
  connection.descriptor = -1;
  std::erase(idle_, index);
  // Nobody listens any more: what is due stays in the backlog and is reported as unanswered.
  (void)open(index).ok();
}

// True when the whole answer is there.
bool Load::read_answers(std::size_t index) {
  Connection& connection = connections_[index];
  if (connection.expected == 0) {
    const std::size_t end = connection.received.find("\r\n\r\n");
    if (end == std::string::npos || connection.received.size() < 12) return false;
    std::from_chars(connection.received.data() + 9, connection.received.data() + 12,
                    connection.status);
    std::size_t length = 0;
    constexpr std::string_view k_name = "\r\nContent-Length: ";
    const std::size_t at = connection.received.find(k_name);
    if (at < end) {
      std::from_chars(connection.received.data() + at + k_name.size(),
                      connection.received.data() + end, length);
    }
    connection.expected = end + 4 + length;
  }
  return connection.received.size() >= connection.expected;
}

void Load::receive(std::size_t index) {
  char bytes[64 * 1024];
  Connection& connection = connections_[index];
  const ssize_t count = recv(connection.descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0 || !connection.is_waiting) return lose(index);
  connection.received.append(bytes, static_cast<std::size_t>(count));
  if (!read_answers(index)) return;
  finish(connection, steady_us());
  connection.received.clear();
  connection.expected = 0;
  idle_.push_back(index);
}

void Load::wait(std::int64_t until_us) {
  epoll_event events[k_events_at_once];
  const std::int64_t left_us = std::max<std::int64_t>(0, until_us - steady_us());
  const timespec timeout{left_us / k_second_us, (left_us % k_second_us) * 1000};
  const int count = epoll_pwait2(poll_, events, k_events_at_once, &timeout, nullptr);
  for (int i = 0; i < count; ++i) receive(static_cast<std::size_t>(events[i].data.u64));
}

absl::StatusOr<Outcome> Load::run() {
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  connections_.resize(options_.connections);
  for (std::size_t i = 0; i < options_.connections; ++i) VITRINE_RETURN_IF_ERROR(open(i));

  start_us_ = steady_us();
  counted_from_us_ = start_us_ + static_cast<std::int64_t>(options_.warmup_seconds * k_second_us);
  end_us_ = counted_from_us_ + static_cast<std::int64_t>(options_.seconds * k_second_us);
  for (;;) {
    const std::int64_t now_us = steady_us();
    start_due(now_us);
    if (now_us >= end_us_ && in_flight_ == 0 && backlog_.empty()) break;
    if (now_us >= end_us_ + k_patience_us) break;
    std::int64_t next_us = now_us < end_us_ ? end_us_ : end_us_ + k_patience_us;
    if (options_.rate > 0 && now_us < end_us_ && backlog_.empty()) {
      next_us = start_us_ + static_cast<std::int64_t>(static_cast<double>(scheduled_) *
                                                      k_second_us / options_.rate);
    }
    wait(next_us);
  }
  outcome_.unanswered = in_flight_ + backlog_.size();
  outcome_.seconds = options_.seconds;
  return std::move(outcome_);
}

}  // namespace

absl::StatusOr<Outcome> run_load(const Options& options) { return Load(options).run(); }

}  // namespace vitrine::http_load
