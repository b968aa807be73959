// GA4's Measurement Protocol: {"client_id", "user_id", "events": [{"name", "params"}]}. For this
// folder's files only.
#pragma once

#include <absl/status/statusor.h>

#include <boost/json.hpp>

#include <string_view>

#include "server/collect/tracking.h"

namespace vitrine::collect {

// `body` is the text that `root` was parsed from. An event that says when it happened, and a
// purchase, get an id made of what they say, so that sending them again changes nothing.
absl::StatusOr<TrackedBatch> events_of_ga4(const boost::json::object& root, std::string_view body,
                                           const TrackingArrival& arrival,
                                           const TrackingOptions& options);

}  // namespace vitrine::collect
