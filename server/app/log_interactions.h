// The event log as the trainer takes it in.
//
// People are named by their numbers, after merge: what a visitor did before it was known as a user
// counts for the user. A session that nobody is known for counts as a person of its own. What
// programs did is left out, and so are orders that were taken back as a whole; one that was told
// twice is there once.
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <functional>

#include "model/log_entry.h"
#include "server/store/database.h"
#include "training/interaction.h"

namespace vitrine::app {

struct LogFacts {
  Position last = 0;  // of the log, as it was read
  std::uint64_t interactions = 0;
};

// Calls `take` for every event about a product, in the order of the log. `progress` is told the
// position now and then; may be empty.
absl::StatusOr<LogFacts> read_log_interactions(
    const store::Database& database, const std::function<void(const training::Interaction&)>& take,
    const std::function<void(Position done, Position last)>& progress);

}  // namespace vitrine::app
