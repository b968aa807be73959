#include "server/app/log_interactions.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/string_map.h"
#include "server/events/event_log.h"

namespace vitrine::app {
namespace {

constexpr Position k_progress_every = 8192;

// What must be known of the whole log before its events are read.
struct Context {
  // Which visitors' own histories moved to which users. Only the first link of a visitor moves any.
  absl::flat_hash_map<UserNumber, UserNumber> merges;
  // Up to where what is said of an order is void, by its id.
  StringMap<Position> takeovers;
  // Orders that were taken back as a whole, by who has them.
  absl::flat_hash_set<std::pair<UserNumber, std::string>> cancelled;
  // When people were programs, by who they are.
  absl::flat_hash_map<UserNumber, std::vector<BotFlag>> bots;

  UserNumber home_of(UserNumber user) const {
    for (auto at = merges.find(user); at != merges.end(); at = merges.find(user)) user = at->second;
    return user;
  }
  bool is_void(const LogEntry& entry, const Event& event) const;
};

bool Context::is_void(const LogEntry& entry, const Event& event) const {
  if (event.is_bot || event.telling == OrderTelling::superseded) return true;
  for (const UserNumber number : {entry.visitor, entry.user}) {
    const auto flags = number == k_nobody ? bots.end() : bots.find(number);
    if (flags == bots.end()) continue;
    for (const BotFlag& flag : flags->second) {
      if (event.received_ms >= flag.since_ms && event.received_ms <= flag.until_ms) return true;
    }
  }
  if (event.type != EventType::purchase || event.order_id.empty()) return false;
  const auto takeover = takeovers.find(event.order_id);
  return (takeover != takeovers.end() && entry.position < takeover->second) ||
         cancelled.contains(std::pair(home_of(entry.user), event.order_id));
}

void learn(const LogEntry& entry, Context& context) {
  if (const VisitorLink* link = entry.link(); link != nullptr && link->from_user == link->visitor) {
    context.merges.emplace(link->visitor, link->to_user);
  } else if (const OrderTakeover* takeover = entry.takeover()) {
    context.takeovers[takeover->order_id] = entry.position;
  } else if (const BotFlag* flag = entry.bot_flag()) {
    context.bots[entry.visitor != k_nobody ? entry.visitor : entry.user].push_back(*flag);
  } else if (const Event* event = entry.event();
             event != nullptr && event->type == EventType::cancel && event->product_id.empty()) {
    context.cancelled.emplace(entry.user, event->order_id);
  }
}

absl::StatusOr<Context> read_context(const events::EventLog& log) {
  Context context;
  VITRINE_RETURN_IF_ERROR(log.read(0, [&](LogEntry&& entry) {
    learn(entry, context);
    return true;
  }));
  // Who has them now.
  absl::flat_hash_set<std::pair<UserNumber, std::string>> cancelled;
  for (const auto& [user, order] : context.cancelled) {
    cancelled.emplace(context.home_of(user), order);
  }
  context.cancelled = std::move(cancelled);
  return context;
}

// Empty for an order without a customer.
std::string person_of(const LogEntry& entry, const Context& context) {
  if (entry.user != k_nobody) return std::to_string(context.home_of(entry.user).value());
  const std::string& session = entry.event()->session_id;
  return session.empty() ? std::string() : "session:" + session;
}

}  // namespace

absl::StatusOr<LogFacts> read_log_interactions(
    const store::Database& database, const std::function<void(const training::Interaction&)>& take,
    const std::function<void(Position done, Position last)>& progress) {
  const std::unique_ptr<events::EventLog> log = events::make_local_event_log(database);
  VITRINE_ASSIGN_OR_RETURN(const Context context, read_context(*log));

  LogFacts facts{.last = log->last_position()};
  VITRINE_RETURN_IF_ERROR(log->read(0, [&](LogEntry&& entry) {
    if (progress && entry.position % k_progress_every == 0) progress(entry.position, facts.last);
    const Event* event = entry.event();
    if (event == nullptr || event->product_id.empty()) return true;
    if (context.is_void(entry, *event)) return true;
    const std::string person = person_of(entry, context);
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
