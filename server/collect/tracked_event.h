// One named event with its properties, as Segment and GA4 write them, turned into ours. For this
// folder's files only.
//
// Thread-safe.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "server/collect/tracking.h"

namespace vitrine::collect {

// What all events of one message share.
struct TrackedMessage {
  const TrackingArrival& arrival;
  const TrackingOptions& options;
  std::string_view raw;        // for quarantine
  Event base;                  // who, when, and the message's id
  boost::json::object around;  // context and what is unknown: kept with its first event
  std::vector<IncomingEvent>& out;
};

// The event itself, or its refusal. Lines of a message get its id, '#' and their index: the same
// message sent again makes the same ids. `properties` may be null.
void append_named_event(std::string_view name, const boost::json::object* properties,
                        TrackedMessage& message);

// One event of that type with these properties.
void append_plain_event(EventType type, boost::json::object properties, TrackedMessage& message);

void append_refused(EventRefusal refusal, TrackedMessage& message);

// InvalidArgument once a batch has more events than it may: asked after each message, because what
// is shared by many events is copied into each.
absl::Status check_size(const TrackedBatch& batch, const TrackingOptions& options);

}  // namespace vitrine::collect
