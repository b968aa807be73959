// Writes checkpoints in the background: what is dirty is collected between two batches, written
// beside the store's own log, and taken in as a whole.
//
// A crash at any moment leaves the former checkpoint or the new one. Thread-safety: see each
// function; the projections' threads are as projection.h says.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/events/projection.h"
#include "server/store/database.h"

namespace vitrine::events {

class Checkpointer {
 public:
  // A checkpoint is due when any of these is reached since the last one was begun.
  struct Options {
    std::uint64_t entries = 500'000;                    // about what a restart replays at most
    TimeMs interval_ms = k_minute_ms;                   // when there is any new entry
    std::size_t pinned_bytes = std::size_t{128} << 20;  // of Projection::pinned_bytes()
  };

  // All of them outlive it.
  Checkpointer(store::Database& database, std::span<Projection* const> projections,
               const Clock& clock, Metrics& metrics, Log& log, const Options& options);
  ~Checkpointer();  // finish(), without a last checkpoint
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // On the committer thread between two batches, `at` being the last position applied: begins a
  // checkpoint in the background when one is due and none is being written.
  void between_batches(Position at);
  // The same, but writes it before it returns: for a replay, which goes on without one where the
  // disk has no room.
  absl::Status while_replaying(Position at);
  // Begins a checkpoint at the next between_batches(). Any thread.
  void ask();
  // Waits for what is being written, then writes a last checkpoint when there are new entries.
  // Once, when no more entries come.
  absl::Status finish(Position at);

  Position last_durable() const;  // any thread; 0 before the first of this process

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Brings a projection to its checkpoint, where there is one that this program knows; removes its
// keys where there is none.
absl::Status restore_checkpoint(store::Database& database, Position last, Projection& projection);

}  // namespace vitrine::events
