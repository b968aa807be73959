// State that follows the log: applied entry by entry, checkpointed now and then, rebuilt by loading
// the checkpoint and replaying what came after it.
//
// `apply` is deterministic, idempotent by position and total: what passed validation cannot make it
// fail. It runs on one thread; how readers of the state are kept safe is each projection's own
// affair.
//
// How to keep a checkpoint:
// - A projection of at most a few MiB overrides checkpoint() and restore() and is done: the whole
//   state is one string, made between two batches, so it must be quick (a millisecond). The string
//   begins with a number for its form, which restore() answers with Unimplemented when it does not
//   know it: the projection is then replayed from the beginning, no other harm. The string must be
//   the same for the same log (sort what a hash table holds): `vitrine verify` compares it with a
//   recount.
// - A larger one keeps in that string only what is small, and overrides begin_checkpoint() too: it
//   takes note of what changed since the last checkpoint, as pointers or copy-on-write chunks, and
//   returns a function that writes those under keys of its own, in the background. It reads them
//   back through read_checkpoint_of(name, database), given to its constructor. It also overrides
//   fingerprint(), which for the small ones is the string's.
// - Product numbers may be stored in a checkpoint and nowhere else: it holds the table that names
//   them (catalog/product_numbers.h).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/log_entry.h"
#include "server/events/checkpoint.h"

namespace vitrine::events {

class Projection {
 public:
  virtual ~Projection() = default;
  // Names the projection in the store: letters and underscores.
  virtual std::string_view name() const = 0;
  // Entries come in the order of their positions, without gaps, from position() + 1 on. Earlier
  // ones are ignored.
  virtual void apply(const LogEntry& entry) = 0;
  // The last position applied; 0 before the first.
  virtual Position position() const = 0;

  // The small state as of position(). A projection that returns an empty string keeps no checkpoint
  // and is replayed from the beginning. Called on the committer thread between two batches.
  virtual std::string checkpoint() const { return {}; }
  // Called once, before the first apply(), with what checkpoint() gave; afterwards position() is
  // `at`. Unimplemented, with the state untouched, when this program does not know its form: the
  // projection's keys are then removed and it is replayed from the beginning. Any other error stops
  // the start.
  virtual absl::Status restore(std::string_view /*checkpoint*/, Position /*at*/) {
    return absl::UnimplementedError("this projection keeps no checkpoint");
  }

  // Right after checkpoint(), on the same thread: what changed since the last checkpoint; null when
  // nothing is kept under keys.
  virtual CheckpointPart begin_checkpoint() { return nullptr; }
  // On the checkpoint thread, after the part has run: whether all of it became durable. What did
  // not belongs to the next part.
  virtual void end_checkpoint(bool /*is_durable*/) {}
  // Memory that only a checkpoint can free: much of it makes the next one come sooner. Any thread.
  virtual std::size_t pinned_bytes() const { return 0; }

  // The same for the same log, however it was applied: with checkpoints and restarts or without.
  // Not while entries are applied.
  virtual std::uint64_t fingerprint() const;
};

}  // namespace vitrine::events
