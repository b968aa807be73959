// Threads for answers that take too long for a connection's own: a loop that scans a million
// products leaves its other clients waiting.
//
// Thread-safe; stop() from outside, once.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/http/router.h"

namespace vitrine::http {

class Workers {
 public:
  struct Options {
    // Answers being made at the same time. Many more than processors: those that wait for a scan
    // share it.
    std::size_t threads = 24;
    std::size_t queue_max = 1024;  // requests that wait for a thread; one more is refused: 429
  };

  // `metrics` and `log` must outlive the workers.
  Workers(const Options& options, Metrics& metrics, Log& log);
  ~Workers();  // stop()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when too much waits already, or when stopping; `work` is untouched then. Work that throws
  // is logged and dropped, with what it holds.
  bool try_run(absl::AnyInvocable<void()>&& work);

  // A handler that is moved to the threads for those requests of which `is_long` says so; one that
  // throws there is answered 500. Outlives what it makes.
  Handler aside(std::function<bool(const Request&)> is_long, Handler handler);

  // The same for one that answers before it returns.
  Handler answer_aside(std::function<bool()> is_long,
                       std::function<absl::StatusOr<Response>(Request&)> handler);

  // Finishes what waits, ends the threads.
  void stop();

 private:
  void run();

  BoundedQueue<absl::AnyInvocable<void()>> waiting_;
  Gauge& waiting_gauge_;
  Counter& refused_;
  Log& log_;
  std::vector<std::thread> threads_;
};

}  // namespace vitrine::http
