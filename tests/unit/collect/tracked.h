// Bodies of the tracking API in, events out.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "server/collect/tracking.h"

namespace vitrine::collect {

constexpr TimeMs k_received_ms = 1'790'000'000'000;

class TrackingTest : public ::testing::Test {
 protected:
  TrackedBatch batch(std::string body) {
    auto parsed = TrackingBody::parse(std::move(body));
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    auto events = (*parsed)->events(std::nullopt, arrival_, options_);
    EXPECT_TRUE(events.ok()) << events.status();
    return *std::move(events);
  }
  TrackedBatch ga4(std::string body) {
    auto parsed = TrackingBody::parse(std::move(body));
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    auto events = (*parsed)->ga4_events(arrival_, options_);
    EXPECT_TRUE(events.ok()) << events.status();
    return *std::move(events);
  }
  // The events of one message.
  std::vector<IncomingEvent> message(std::string_view fields) {
    return batch(fmt::format(R"({{"batch": [{{"messageId": "m", "anonymousId": "v", {}}}]}})",
                             fields))
        .events;
  }
  std::vector<IncomingEvent> track(std::string_view event, std::string_view properties) {
    return message(
        fmt::format(R"("type": "track", "event": "{}", "properties": {})", event, properties));
  }
  // The one event of a message.
  Event one(const std::vector<IncomingEvent>& events) {
    EXPECT_EQ(events.size(), 1U);
    if (events.empty()) return {};
    EXPECT_FALSE(events[0].refusal.has_value()) << events[0].refusal->message;
    return events[0].event;
  }
  // "code field: message" of the one refusal.
  std::string refusal(const std::vector<IncomingEvent>& events) {
    EXPECT_EQ(events.size(), 1U);
    if (events.empty() || !events[0].refusal) return "none";
    const EventRefusal& why = *events[0].refusal;
    return fmt::format("{} {}: {}", why.code, why.field, why.message);
  }
  static boost::json::value properties(const Event& event) {
    return boost::json::parse(event.properties_json.empty() ? "{}" : event.properties_json);
  }

  std::set<std::string, std::less<>> catalog_;
  TrackingArrival arrival_{
      .received_ms = k_received_ms,
      .is_import = false,
      .knows_product = [this](std::string_view id) { return catalog_.contains(id); }};
  TrackingOptions options_;
};

}  // namespace vitrine::collect
