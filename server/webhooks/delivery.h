// One thing to be told to one webhook: as it is kept, and as it is sent.
//
// Kept without anybody's id: a person is a number until the moment of sending. Thread-safe (values,
// pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/ids.h"
#include "server/identity/identity_book.h"

namespace vitrine::webhooks {

struct Delivery {
  std::uint64_t number = 0;  // ascending for a webhook, also across restarts
  std::string id = {};       // the same at every attempt: receivers know repetitions by it
  std::string type = {};
  std::string segment = {};
  UserNumber user = k_nobody;
  TimeMs time_ms = 0;   // when it came to be
  TimeMs since_ms = 0;  // when it began to wait: later, when it was given up once
  std::uint32_t attempts = 0;
  TimeMs due_ms = 0;    // the next attempt; of a dead one the last
  int http_status = 0;  // of the last attempt; 0: no answer
  std::string error = {};
};

std::string encode(const Delivery& delivery);
absl::StatusOr<Delivery> decode_delivery(std::uint64_t number, std::string_view bytes);

// A CloudEvent 1.0, structured, as JSON.
std::string cloud_event(const Delivery& delivery, const identity::Person& person);
// What a test of a webhook sends.
std::string ping_event(std::string_view id, std::string_view webhook, TimeMs time_ms);

inline constexpr std::string_view k_cloud_event_type =
    "application/cloudevents+json; charset=utf-8";

}  // namespace vitrine::webhooks
