// Refused events, kept with their reason so that nothing is lost silently. Bounded by count; the
// oldest go first.
//
// Thread-safe for reading; staging on the committer thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::events {

struct QuarantinedEvent {
  std::uint64_t number = 0;  // arrival order
  TimeMs received_ms = 0;
  std::string source;
  std::string code;
  std::string message;
  std::string raw;  // the bytes as they came, at most k_raw_bytes_max
};

class Quarantine {
 public:
  static constexpr std::size_t k_raw_bytes_max = 32 * 1024;
  struct Options {
    std::uint64_t events_max = 100'000;
  };

  // Errors: what reading the store gave. `database` outlives it.
  static absl::StatusOr<std::unique_ptr<Quarantine>> open(const store::Database& database,
                                                          const Options& options);

  void stage(Batch& batch, QuarantinedEvent event);
  // Newest first, those with a number below `before` (0: from the newest).
  absl::StatusOr<std::vector<QuarantinedEvent>> list(std::uint64_t before, std::size_t limit) const;
  std::uint64_t size() const;

 private:
  struct State;
  explicit Quarantine(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace vitrine::events
