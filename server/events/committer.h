// The one writer: takes commands from a bounded queue and makes each batch of them durable with one
// sync.
//
// A batch is: stage every waiting command on shared staged state, write one batch over all
// families, sync, run what was to be published, let the projections that the next answer must know
// apply the new entries, answer everybody. While one sync runs the next batch gathers, longer with
// many senders. A command staged later in a batch sees what earlier ones staged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/log_entry.h"
#include "server/events/checkpointer.h"
#include "server/events/projection.h"
#include "server/store/database.h"

namespace vitrine::events {

// The staged state of the batch being built. Used on the committer thread only.
class Batch {
 public:
  Batch(const store::Database& database, Position last, TimeMs time_ms);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  TimeMs time_ms() const;  // the commit's time: the same for the whole batch
  // Sees what this batch staged, then what is on disk.
  absl::StatusOr<std::optional<std::string>> get(store::Family family, std::string_view key) const;
  // Whether this batch put the key; asks no disk.
  bool has_staged(store::Family family, std::string_view key) const;
  void put(store::Family family, std::string_view key, std::string_view value);
  void erase(store::Family family, std::string_view key);
  // Appends to the log; sets the entry's position and commit time and returns the position. What is
  // put into Family::log by hand is not seen by projections.
  Position append(LogEntry entry);
  // The last position, staged ones included.
  Position last_position() const;
  // Runs on the committer thread after the sync and before the projections: the place to publish
  // new in-memory state. Not run when the batch could not be written.
  void after_sync(std::function<void()> publish);
  // What `owner` stages in memory beside the store: made at the first call in a batch (so the place
  // to call after_sync), gone with the batch.
  template <class T>
  T& staged_by(const void* owner, const std::function<std::shared_ptr<T>()>& make) {
    std::shared_ptr<void>& place = staged_place(owner);
    if (!place) place = make();
    return *static_cast<T*>(place.get());
  }

 private:
  friend class Committer;
  struct Parts;
  std::shared_ptr<void>& staged_place(const void* owner);
  std::unique_ptr<Parts> parts_;
};

class Command {
 public:
  virtual ~Command() = default;
  // Decides on the staged state and stages its effects. A failed status refuses the command: it
  // must then have staged nothing (checked). Runs on the committer thread.
  virtual absl::Status stage(Batch& batch) = 0;
  // Whether somebody waits for the answer. What nobody awaits rides with the next awaited command,
  // or goes alone after `unawaited_wait_ms` and is then written without a sync of its own: a killed
  // process loses nothing, a loss of power may lose the newest of it. It appends nothing to the log
  // (checked).
  virtual bool is_awaited() const { return true; }
  // Called exactly once, on the committer thread: after the sync with OK, or with what went wrong.
  // `visible` is the position that every later answer knows. Must be quick; it may hand work to
  // another thread.
  virtual void answer(const absl::Status& status, Position visible) = 0;
};

class Committer {
 public:
  struct Options {
    std::size_t queue_max = 4096;  // commands waiting; one more is refused
    std::size_t batch_commands_max = 1024;
    std::size_t batch_bytes_max = std::size_t{16} << 20;
    TimeMs unawaited_wait_ms = 10;  // how long what nobody awaits waits for what somebody does
  };

  // `before_ack` have already been brought up to the log's end (see replay in event_log.h) and
  // outlive the committer, as do the others. `checkpointer` is told of every batch; may be null.
  Committer(store::Database& database, std::span<Projection* const> before_ack, const Clock& clock,
            Metrics& metrics, Log& log, const Options& options,
            Checkpointer* checkpointer = nullptr);
  ~Committer();  // stop()

  // ResourceExhausted when the queue is full, Unavailable once stopping; the command is destroyed
  // unanswered then.
  absl::Status submit(std::unique_ptr<Command> command);
  // More than half of the queue waits: what need not be written now should keep away.
  bool is_half_full() const;
  // Submits and waits for its answer. Not from the committer thread.
  absl::StatusOr<Position> submit_and_wait(std::function<absl::Status(Batch&)> stage);

  Position visible() const;  // what the next answer knows
  // Waits until `position` is visible, at most `timeout_ms`; false when it is not by then.
  bool wait_until_visible(Position position, TimeMs timeout_ms) const;

  // Refuses new commands, finishes what is queued, ends the thread.
  void stop();

 private:
  struct State;
  void run();
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::events
