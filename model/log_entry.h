// One entry of the event log: an event with its people resolved to numbers, or a visitor's link to
// a user.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "model/event.h"
#include "model/ids.h"

namespace vitrine {

// Our own dense sequence number of the log, from 1; 0 is "before everything".
using Position = std::uint64_t;

// From here on the visitor's events belong to `to_user`. When `from_user` is the visitor itself,
// what it did so far moves to the user; a visitor that belonged to another user leaves that user's
// history where it is.
struct VisitorLink {
  UserNumber visitor;
  UserNumber from_user;
  UserNumber to_user;
};

// What `order_id` is said to hold so far is void: another message has the better word, and follows.
// The entry's user is who it was kept for.
struct OrderTakeover {
  std::string order_id;
};

// What the entry's user did from `since_ms` to `until_ms` was done by a program, as it turned out.
struct BotFlag {
  TimeMs since_ms = 0;
  TimeMs until_ms = 0;
};

// What the log holds of these people is gone, and so is what was made of it. In place of an entry
// that was about them stands one that names nobody. Sessions are named as readers know them: by a
// fixed hash of their id.
struct Erasure {
  std::vector<UserNumber> people;
  std::vector<std::uint64_t> sessions;
};

struct LogEntry {
  Position position = 0;  // the entry's key, not part of its bytes
  UserNumber user;        // whose it is; k_nobody for an order without a customer
  UserNumber visitor;     // where it came from, k_nobody if no visitor was named
  TimeMs committed_ms = 0;
  std::string source;  // the scope in which event_id is unique
  // An Event here has no user_id and no visitor_id.
  std::variant<Event, VisitorLink, OrderTakeover, BotFlag, Erasure> what;

  const Event* event() const { return std::get_if<Event>(&what); }
  const VisitorLink* link() const { return std::get_if<VisitorLink>(&what); }
  const OrderTakeover* takeover() const { return std::get_if<OrderTakeover>(&what); }
  const BotFlag* bot_flag() const { return std::get_if<BotFlag>(&what); }
  const Erasure* erasure() const { return std::get_if<Erasure>(&what); }
};

// Protobuf bytes as proto/log_entry.proto describes them.
std::string encode(const LogEntry& entry);

// DataLoss when the bytes are not an entry.
absl::StatusOr<LogEntry> decode_log_entry(Position position, std::string_view bytes);

}  // namespace vitrine
