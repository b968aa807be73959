// Reading the log: every entry in order, from any position.
//
// Thread-safe; a reader sees the log as it was when it was made.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <span>

#include "model/log_entry.h"
#include "server/events/checkpointer.h"
#include "server/events/projection.h"
#include "server/store/database.h"

namespace vitrine::events {

class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual Position last_position() const = 0;
  // Calls `visit` for each entry after `after`, in order, until it returns false or the log ends;
  // past those whose time was over (retention.h), so that positions may be left out, never the
  // last. DataLoss names the position that cannot be read.
  virtual absl::Status read(Position after, const std::function<bool(LogEntry&&)>& visit) const = 0;
};

// The log in RocksDB; `database` outlives it.
std::unique_ptr<EventLog> make_local_event_log(const store::Database& database);

// Restores the checkpoint of each projection that has not applied anything yet, and brings all of
// them to the end of the log. A long replay is checkpointed on its way when `checkpointer`, which
// may be null, has it so. `progress` is told the position now and then; may be empty.
absl::Status replay(const EventLog& log, store::Database& database,
                    std::span<Projection* const> projections,
                    const std::function<void(Position done, Position last)>& progress,
                    Checkpointer* checkpointer = nullptr);

}  // namespace vitrine::events
