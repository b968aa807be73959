// What Segment's and RudderStack's clients send, and GA4's Measurement Protocol, as events of ours.
//
// These clients drop a whole batch, or end their process, on an answer of 400: so a bad message is
// refused alone, and only what is no JSON object is an error. Pure; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/collect/collector.h"

namespace vitrine::collect {

enum class MessageKind { track, identify, page, screen, group, alias };

struct TrackingOptions {
  std::string currency;  // of events that name none; empty: it stays unknown
  std::size_t message_bytes_max = std::size_t{32} * 1024;
  std::size_t products_max = 2000;  // of one message: each may become an event
  std::size_t events_max = 5000;    // of one call
};

// Where and when the messages came.
struct TrackingArrival {
  TimeMs received_ms = 0;
  bool is_import = false;  // times are kept as they were set
  // Whether the catalog has the product; chooses between product_id and sku. May be empty.
  std::function<bool(std::string_view)> knows_product;
};

// The events of some messages: one message may be none of ours, or many.
struct TrackedBatch {
  std::vector<IncomingEvent> events;
  std::vector<std::size_t> message_of;  // of each event: the index of its message
  std::size_t messages = 0;
};

// A body that was parsed once, to be asked for its key first.
class TrackingBody {
 public:
  // InvalidArgument: no JSON object.
  static absl::StatusOr<std::unique_ptr<TrackingBody>> parse(std::string body);
  virtual ~TrackingBody() = default;

  virtual std::string write_key() const = 0;  // empty when it names none

  // One message of that kind, or, without one, {"batch": [...]}. InvalidArgument: no batch in it,
  // a context of all messages that is larger than a message may be, or more than events_max.
  virtual absl::StatusOr<TrackedBatch> events(std::optional<MessageKind> kind,
                                              const TrackingArrival& arrival,
                                              const TrackingOptions& options) const = 0;

  // The body of GA4's Measurement Protocol. InvalidArgument: no list of events, or more
  // than events_max.
  virtual absl::StatusOr<TrackedBatch> ga4_events(const TrackingArrival& arrival,
                                                  const TrackingOptions& options) const = 0;
};

}  // namespace vitrine::collect
