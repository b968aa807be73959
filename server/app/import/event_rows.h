// Turns rows of event files into the events of the API.
//
// Knows our own names and those of common exports (timestamp, event_type, item_id). What it does
// not know becomes a property. Values are passed on as they are: the server checks them, and its
// reasons reach the report. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/app/import/row_reader.h"

namespace vitrine::app {

struct EventRowOptions {
  TimeMs shift_ms = 0;   // added to every time
  std::string currency;  // of prices whose row names none; empty: the product's
  // The currency of a product in the catalog; empty when unknown. May be empty itself.
  std::function<std::string_view(std::string_view product_id)> currency_of;
};

// Appends the row as a JSON object. InvalidArgument: a time or properties that
// cannot be read.
absl::Status append_event(const Row& row, const EventRowOptions& options, std::string& json);

// When the row's event happened; nothing when it does not say.
absl::StatusOr<std::optional<TimeMs>> event_time(const Row& row);

}  // namespace vitrine::app
