#include "server/payoff/sightings.h"

#include <absl/container/flat_hash_set.h>

#include "base/status.h"
#include "server/events/event_log.h"

namespace vitrine::payoff {
namespace {

bool is_sighting(EventType type) {
  return type == EventType::impression || type == EventType::promo_view ||
         type == EventType::promo_click;
}

// Whether the first entry after `position` that is kept was committed before `time_ms`.
absl::StatusOr<bool> is_before(const events::EventLog& log, Position position, TimeMs time_ms) {
  bool is_earlier = false;
  VITRINE_RETURN_IF_ERROR(log.read(position, [&](LogEntry&& entry) {
    is_earlier = entry.committed_ms < time_ms;
    return false;
  }));
  return is_earlier;
}

// A position all before which was committed before `time_ms`.
absl::StatusOr<Position> position_before(const events::EventLog& log, TimeMs time_ms) {
  Position low = 0;
  Position high = log.last_position();
  while (low < high) {
    const Position middle = low + (high - low) / 2;
    VITRINE_ASSIGN_OR_RETURN(const bool is_earlier, is_before(log, middle, time_ms));
    (is_earlier ? low : high) = is_earlier ? middle + 1 : middle;
  }
  return low;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::uint64_t, std::less<>>> sightings_of(
    const store::Database& database, const FirstDecisions& firsts, TimeMs from_ms) {
  std::map<std::string, std::uint64_t, std::less<>> seen;
  if (firsts.shown().empty()) return seen;
  const auto log = events::make_local_event_log(database);
  VITRINE_ASSIGN_OR_RETURN(const Position start, position_before(*log, from_ms));
  absl::flat_hash_set<std::string> counted;
  VITRINE_RETURN_IF_ERROR(log->read(start, [&](LogEntry&& entry) {
    const Event* const event = entry.event();
    if (event == nullptr || event->is_bot || !is_sighting(event->type)) return true;
    const auto shown = firsts.shown().find(event->recommendation_id);
    if (shown == firsts.shown().end() || !counted.insert(event->recommendation_id).second)
      return true;
    ++seen[firsts.offers()[shown->second]];
    return true;
  }));
  return seen;
}

}  // namespace vitrine::payoff
