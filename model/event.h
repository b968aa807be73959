// What a shopper did: the one internal schema every source is turned into.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/money.h"

namespace vitrine {

// Numbers are stored: never change or reuse one.
enum class EventType : std::uint8_t {
  view = 1,
  click = 2,
  list_view = 3,
  cart_add = 4,
  cart_remove = 5,
  cart_view = 6,
  checkout = 7,
  purchase = 8,
  refund = 9,
  cancel = 10,
  search = 11,
  wish_add = 12,
  wish_remove = 13,
  promo_view = 14,
  promo_click = 15,
  coupon_enter = 16,
  coupon_apply = 17,
  coupon_deny = 18,
  coupon_remove = 19,
  share = 20,
  review = 21,
  impression = 22,
  not_interested = 23,
  sign_up = 24,
  login = 25,
  coupon_claim = 26,
  page = 27,          // a page or screen was shown, of a product or not
  identify = 28,      // traits of the person, in properties.traits
  group = 29,         // the person belongs to a company or household
  alias = 30,         // another id of the person, as a hint: links nobody
  order_update = 31,  // an order's totals changed
};
constexpr std::size_t k_event_type_count = 32;  // 0 is unused

std::string_view name_of(EventType type);  // "cart_add"
std::optional<EventType> event_type_of(
    std::string_view name);                    // exact names of the table above; "return" is refund
std::span<const EventType> all_event_types();  // in order of their numbers

// Whether the event says something about a product, so that a product_id is required. Money that
// comes back for an order may name the order alone.
bool needs_product(EventType type);

// How strongly one event of a type says "this person wants this product": the defaults of training
// and of live vectors. 0 for types that say nothing, and for refund and cancel, which take a
// purchase back instead.
float default_weight(EventType type);

// One order may be told more than once, by the browser and by the backend. Numbers are stored.
enum class OrderTelling : std::uint8_t {
  first = 0,  // of this order, or no line of an order
  again = 1,  // in place of an earlier one, which is void: people own it, it was counted before
  superseded = 2,  // another one holds: this one changes nothing
};

struct Event {
  std::string event_id;  // unique within a source; made by the server when the sender has none
  EventType type = EventType::view;
  TimeMs time_ms = 0;      // when it happened, corrected
  TimeMs received_ms = 0;  // when the server got it

  // Who, as the sender names them; at least one of the four. The log keeps numbers in place of the
  // first two.
  std::string user_id;
  std::string visitor_id;
  std::string session_id;
  std::string order_id;

  std::string product_id;
  std::string category;  // for not_interested and list views
  std::int64_t quantity = 1;
  std::optional<Money> price;  // of one unit
  std::string currency;
  std::string coupon_code;
  std::string recommendation_id;
  std::string channel;
  std::string market;
  std::string query;            // for search
  std::string properties_json;  // a JSON object of whatever else was sent, or empty

  bool time_clamped = false;   // the sender's clock was out of range
  bool is_unverified = false;  // came under a public key: anybody could have sent it
  bool is_bot = false;         // a program's: not learnt from and not counted
  OrderTelling telling = OrderTelling::first;
};

// The limits an event is held to.
struct EventLimits {
  std::size_t id_bytes_max =
      256;  // event_id, user_id, visitor_id, session_id, order_id, product_id
  std::size_t text_bytes_max = 1024;  // every other text field
  std::size_t properties_bytes_max = std::size_t{32} * 1024;
  std::int64_t quantity_max = 1'000'000'000;
  TimeMs past_ms_max = 30 * k_day_ms;      // older live events are clamped to this and marked
  TimeMs future_ms_max = 5 * k_minute_ms;  // younger ones likewise
};

// A refusal that names the field, so that the sender can mend it.
struct EventRefusal {
  std::string code;  // a fixed word: "missing_id", "missing_product", "too_long", "invalid_utf8",
                     // "out_of_range", ...
  std::string field;
  std::string message;  // names the value and what is allowed
};

// Checks everything but the type's name, and clamps live times. `is_import` keeps times as they
// are.
std::optional<EventRefusal> validate(Event& event, const EventLimits& limits, TimeMs now_ms,
                                     bool is_import);

bool is_valid_utf8(std::string_view text);

}  // namespace vitrine
