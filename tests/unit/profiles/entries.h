// Log entries as the committer would hand them to a projection.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/log_entry.h"

namespace vitrine::profiles {

constexpr TimeMs k_now_ms = 1'700'000'000'000;

class Entries {
 public:
  LogEntry event(std::uint32_t user, EventType type, std::string product_id, TimeMs time_ms,
                 std::string order_id = {}, std::string session_id = {},
                 std::int64_t quantity = 1) {
    Event event;
    event.event_id = "e-" + std::to_string(last_ + 1);
    event.type = type;
    event.time_ms = time_ms;
    event.product_id = std::move(product_id);
    event.order_id = std::move(order_id);
    event.session_id = std::move(session_id);
    event.quantity = quantity;
    return entry(user, std::move(event));
  }
  LogEntry view(std::uint32_t user, std::string product_id, TimeMs time_ms) {
    return event(user, EventType::view, std::move(product_id), time_ms);
  }
  LogEntry link(std::uint32_t visitor, std::uint32_t from, std::uint32_t to) {
    return entry(to, VisitorLink{UserNumber(visitor), UserNumber(from), UserNumber(to)});
  }
  LogEntry erasure(std::vector<UserNumber> people, std::vector<std::uint64_t> sessions = {}) {
    return entry(0, Erasure{.people = std::move(people), .sessions = std::move(sessions)});
  }
  LogEntry takeover(std::uint32_t user, std::string order_id) {
    return entry(user, OrderTakeover{.order_id = std::move(order_id)});
  }

 private:
  LogEntry entry(std::uint32_t user, decltype(LogEntry::what) what) {
    LogEntry entry;
    entry.position = ++last_;
    entry.user = UserNumber(user);
    entry.source = "test";
    entry.what = std::move(what);
    return entry;
  }

  Position last_ = 0;
};

}  // namespace vitrine::profiles
