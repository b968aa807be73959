// State that follows the log: applied entry by entry, rebuilt by replaying.
//
// `apply` is deterministic, idempotent by position and total: what passed validation cannot make it
// fail. It runs on one thread; how readers of the state are kept safe is each projection's own
// affair.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "model/log_entry.h"

namespace vitrine::events {

class Projection {
 public:
  virtual ~Projection() = default;
  virtual std::string_view name() const = 0;
  // Entries come in the order of their positions, without gaps, from position() + 1 on. Earlier
  // ones are ignored.
  virtual void apply(const LogEntry& entry) = 0;
  // The last position applied; 0 before the first.
  virtual Position position() const = 0;

  // A checkpoint is the state as of position(), so that a restart replays only what came after it.
  // A projection that keeps none returns an empty string and is replayed from the beginning.
  virtual std::string checkpoint() const { return {}; }
  // Unimplemented, with the state untouched, when this program does not know the checkpoint's form:
  // the projection is then replayed from the beginning. Any other error stops the start.
  virtual absl::Status restore(std::string_view /*checkpoint*/, Position /*at*/) {
    return absl::UnimplementedError("this projection keeps no checkpoint");
  }
};

}  // namespace vitrine::events
