// Sends requests over kept-alive connections from one thread and times their answers.
//
// Open loop: requests are due at fixed intervals, and an answer is timed from when its request was
// due, not from when a connection was free to send it. A server that stalls is charged for
// everything that had to wait.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "options.h"

namespace vitrine::http_load {

struct Outcome {
  std::vector<std::uint32_t> latencies_us;  // of answers with a status of 2xx
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;      // with any status
  std::uint64_t error_status = 0;  // answered, but not 2xx
  std::uint64_t cut_off = 0;       // connection lost before the answer
  std::uint64_t unanswered = 0;    // still waiting a while after the end
  std::uint64_t backlog_max = 0;   // requests due that no connection was free for
  std::uint64_t bytes_received = 0;
  double seconds = 0;  // counted time
  int first_error_status = 0;
};

// Errors   Unavailable: nobody listens
absl::StatusOr<Outcome> run_load(const Options& options);

}  // namespace vitrine::http_load
