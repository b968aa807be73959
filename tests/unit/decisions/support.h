// Decisions and events as the tests of this folder want them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "model/log_entry.h"
#include "server/decisions/decision.h"

namespace vitrine::decisions {

constexpr TimeMs k_noon_ms = 1'790'000'000'000 / k_day_ms * k_day_ms + 12 * k_hour_ms;

inline Decision decision_at(TimeMs time_ms, std::vector<std::string> products,
                            UserNumber user = UserNumber(7)) {
  Decision decision{.recommendation_id = make_ulid(time_ms),
                    .time_ms = time_ms,
                    .placement = "home",
                    .placement_version = 1,
                    .model_version = "m1",
                    .user = user,
                    .shown = {}};
  for (std::string& id : products) {
    decision.shown.push_back({.product_id = std::move(id),
                              .source = "personal",
                              .score = 0.5F,
                              .propensity = std::nullopt});
  }
  return decision;
}

inline LogEntry entry_of(Position position, UserNumber user, EventType type, std::string product_id,
                         TimeMs time_ms, std::string recommendation_id = {}) {
  LogEntry entry;
  entry.position = position;
  entry.user = user;
  entry.visitor = user;
  entry.source = "test";
  Event event;
  event.event_id = "e-" + std::to_string(position);
  event.type = type;
  event.product_id = std::move(product_id);
  event.time_ms = time_ms;
  event.recommendation_id = std::move(recommendation_id);
  if (type == EventType::purchase) {
    event.price = Money{1990};
    event.currency = "EUR";
    event.quantity = 2;
    event.order_id = "order-" + std::to_string(user.value());
  }
  entry.what = std::move(event);
  return entry;
}

}  // namespace vitrine::decisions
