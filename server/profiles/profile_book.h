// What each person did lately and bought ever, from the log, ready for the next answer.
//
// A before_ack projection. Ordered by event time (ties by event id), so that late events end in the
// same state. Thread-safe for reading, under a lock held for a pointer copy; apply() on the
// committer thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/event.h"
#include "model/ids.h"
#include "server/catalog/product_numbers.h"
#include "server/events/projection.h"

namespace vitrine::profiles {

// The session_key of a session id: a fixed hash, never 0; 0 for an empty id.
std::uint64_t session_key_of(std::string_view session_id);

struct ProfileEvent {
  TimeMs time_ms = 0;
  std::uint64_t event_key = 0;    // fixed hash of source and event id: breaks ties of time
  std::uint64_t session_key = 0;  // fixed hash of the session id, 0 when it had none
  ProductNumber product;
  EventType type = EventType::view;
};

struct Bought {
  ProductNumber product;
  std::uint32_t purchases = 0;  // order lines, not pieces
  std::uint32_t refunds = 0;
  TimeMs last_ms = 0;  // the latest purchase
};

// Immutable once handed out; the next event makes another.
struct Profile {
  static constexpr std::size_t k_recent_max = 100;
  std::vector<ProfileEvent> recent;  // newest first; events that name a product, impressions not
  std::vector<Bought> bought;        // by product number
  std::uint32_t events = 0;
  std::uint32_t orders = 0;  // distinct order ids among purchases
  TimeMs first_seen_ms = 0;
  TimeMs last_seen_ms = 0;
  std::vector<std::uint64_t> order_keys;  // sorted fixed hashes of order ids
};

class ProfileBook final : public events::Projection {
 public:
  explicit ProfileBook(catalog::ProductNumbers& numbers);  // which outlives it
  ~ProfileBook() override;

  // Null for somebody nothing is known about.
  std::shared_ptr<const Profile> find(UserNumber user) const;
  std::size_t size() const;

  std::string_view name() const override { return "profiles"; }
  void apply(const LogEntry& entry) override;
  Position position() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::profiles
