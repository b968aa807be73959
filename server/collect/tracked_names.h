// What the events of Segment's e-commerce specification (version 2, and the older names of version
// 1) and of GA4 are called here. For this folder's files only.
//
// Thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "model/event.h"

namespace vitrine::collect {

// What an event's properties speak of.
enum class Shape {
  product,   // one product, or a list with an event each
  products,  // one event about a list of products
  order,     // an order's lines with an event each, and its totals
  takeback,  // lines that come back, or the whole order when none is named
  cancel,    // the whole order, and an event for each line that is named
  plain      // one event
};

struct TrackedName {
  EventType type;
  Shape shape;
  bool keeps_name;  // several events are of this type here: the name they came with is kept
};

// Without regard to case; spaces, '_', '-' and '.' are the same. Our own names are known too.
std::optional<TrackedName> tracked_name(std::string_view name);

}  // namespace vitrine::collect
