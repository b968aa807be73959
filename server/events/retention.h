// Lets go of what is past its time: the keys that recognise an event sent again, and the log's
// entries by class.
//
// An age counts from the commit, so that an import of old events is kept for its whole term. Links
// of visitors, the newest entry and the keys of imports stay for ever. It works in the background,
// in small steps that nobody awaits, and stands aside while the committer is busy. What a
// projection made of an entry stays; one that must be replayed from the beginning knows what is
// still there. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/log_entry.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::events {

// How far it is, as the store has it.
struct RetentionState {
  Position keys_until = 0;       // up to here the keys of events that came live are gone
  Position behaviour_until = 0;  // up to here entries of behaviour are empty
  Position orders_until = 0;     // up to here those of orders are
  std::uint64_t entries_removed = 0;

  // Whether the entry at `position` may have been emptied.
  bool may_be_empty(Position position) const {
    return position <= behaviour_until || position <= orders_until;
  }
};

// What the law asks a shop to keep for longer.
bool is_of_an_order(EventType type);

absl::StatusOr<RetentionState> read_retention_state(const store::Database& database);

// Whether the key of this entry's event goes after Options::key_days.
bool has_passing_key(const LogEntry& entry);

class Retention {
 public:
  struct Options {
    std::int64_t key_days = 7;          // for which an event id that came live is recognised
    std::int64_t behaviour_days = 396;  // 13 months
    std::int64_t order_days = 1096;     // 3 years; purchases, refunds, cancellations
    TimeMs interval_ms = k_minute_ms;   // between two rounds
  };

  // Begins after the first interval. All of them outlive it.
  Retention(const store::Database& database, Committer& committer, const Clock& clock,
            Metrics& metrics, Log& log, const Options& options);
  ~Retention();  // stop()

  // Ends after the step that is being made. Before the committer stops.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::events
