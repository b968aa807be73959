// Turns what storefronts send into durable, deduplicated log entries.
//
// 200 means: on disk and visible to the next request. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "model/event.h"
#include "server/collect/bots.h"
#include "server/collect/order_book.h"
#include "server/events/committer.h"
#include "server/events/quarantine.h"
#include "server/identity/identity_book.h"

namespace vitrine::collect {

// One event of a batch as it came: understood, or refused with a reason.
struct IncomingEvent {
  std::string raw;  // for quarantine
  Event event;
  std::optional<EventRefusal> refusal;
  std::string user_token = {};  // the backend's word for event.user_id, if any came along
  identity::Trust trust = identity::Trust::verified;  // in event.user_id
  // Its number in quarantine, when it comes from there: it leaves, and what is refused anew comes
  // back with its new reason. The time it was received at stays.
  std::uint64_t quarantined = 0;
};

struct RejectedEvent {
  std::size_t index;  // in the batch
  std::string code;
  std::string message;
};

struct CollectOutcome {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;
  std::size_t bots = 0;    // of the accepted, those that are flagged
  std::size_t bursts = 0;  // people who did more than people can from here on
  std::vector<RejectedEvent> rejected;
  Position token = 0;
};

class Collector {
 public:
  struct Options {
    EventLimits limits;
    std::size_t batch_events_max = 5000;  // of one call
    BurstWatch::Options bursts = {};
  };

  // All outlive it.
  Collector(const store::Database& database, events::Committer& committer,
            identity::IdentityBook& identities, events::Quarantine& quarantine, const Clock& clock,
            Metrics& metrics, const Options& options);

  // Validates, corrects clocks, gives ids to events without one, submits. `source` is the scope in
  // which event ids are unique.
  // `done` is called exactly once, on the committer thread, unless this call itself fails
  // (InvalidArgument: too many events; ResourceExhausted: queue full).
  absl::Status collect(std::vector<IncomingEvent> batch, std::string source, bool is_import,
                       std::function<void(absl::StatusOr<CollectOutcome>)> done);

  events::PersonalData& orders() { return orders_; }

 private:
  class CollectCommand;
  const store::Database& database_;
  events::Committer& committer_;
  identity::IdentityBook& identities_;
  events::Quarantine& quarantine_;
  const Clock& clock_;
  const Options options_;
  OrderBook orders_;
  BurstWatch bursts_;  // the committer thread's own
  struct Counters;
  const std::shared_ptr<Counters> counters_;
};

// Reads the native batch {"events": [...]}. A body that is not that is InvalidArgument; a bad event
// is refused alone. An event without time gets `now_ms`.
absl::StatusOr<std::vector<IncomingEvent>> parse_native_batch(std::string_view body, TimeMs now_ms);

// The token of an answer is opaque to clients and names a position.
std::string token_of(Position position);
absl::StatusOr<Position> position_of(std::string_view token);

}  // namespace vitrine::collect
