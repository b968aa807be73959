#include "server/app/log_interactions.h"

#include <absl/container/flat_hash_map.h>

#include <string>

#include "base/status.h"
#include "server/events/event_log.h"

namespace vitrine::app {
namespace {

constexpr Position k_progress_every = 8192;

using Merges = absl::flat_hash_map<UserNumber, UserNumber>;

// Which visitors' own histories moved to which users. Only the first link of a visitor moves any.
absl::StatusOr<Merges> read_merges(const events::EventLog& log) {
  Merges merges;
  VITRINE_RETURN_IF_ERROR(log.read(0, [&](LogEntry&& entry) {
    const VisitorLink* link = entry.link();
    if (link != nullptr && link->from_user == link->visitor) {
      merges.emplace(link->visitor, link->to_user);
    }
    return true;
  }));
  return merges;
}

// Empty for an order without a customer.
std::string person_of(const LogEntry& entry, const Merges& merges) {
  if (entry.user != k_nobody) {
    const auto merged = merges.find(entry.user);
    return std::to_string((merged == merges.end() ? entry.user : merged->second).value());
  }
  const std::string& session = entry.event()->session_id;
  return session.empty() ? std::string() : "session:" + session;
}

}  // namespace

absl::StatusOr<LogFacts> read_log_interactions(
    const store::Database& database, const std::function<void(const training::Interaction&)>& take,
    const std::function<void(Position done, Position last)>& progress) {
  const std::unique_ptr<events::EventLog> log = events::make_local_event_log(database);
  VITRINE_ASSIGN_OR_RETURN(const Merges merges, read_merges(*log));

  LogFacts facts{.last = log->last_position()};
  VITRINE_RETURN_IF_ERROR(log->read(0, [&](LogEntry&& entry) {
    if (progress && entry.position % k_progress_every == 0) progress(entry.position, facts.last);
    const Event* event = entry.event();
    if (event == nullptr || event->product_id.empty()) return true;
    const std::string person = person_of(entry, merges);
    take({.user = person,
          .product = event->product_id,
          .order = event->order_id,
          .type = event->type,
          .time_ms = event->time_ms,
          .session = event->session_id,
          .market = event->market,
          .quantity = event->quantity,
          .weight = std::nullopt});
    ++facts.interactions;
    return true;
  }));
  return facts;
}

}  // namespace vitrine::app
