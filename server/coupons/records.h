// What is kept of coupons in people's hands and of orders: grants, reservations, redemptions.
//
// Stored as JSON. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/coupons/cart.h"
#include "server/coupons/ledger.h"
#include "server/coupons/limit.h"
#include "server/coupons/pricing.h"

namespace vitrine::coupons {

// Issued is one whose time has not come, active one that can be used.
enum class GrantState : std::uint8_t {
  issued,
  active,
  reserved,
  redeemed,
  returned,
  expired,
  revoked
};
std::string_view name_of(GrantState state);

struct Grant {
  std::uint64_t number = 0;
  std::string code = {};  // as it is shown to its owner
  std::string offer = {};
  std::uint64_t offer_version = 0;
  UserNumber user = k_nobody;  // nobody: whoever has the code
  TimeMs issued_ms = 0;
  TimeMs valid_from_ms = 0;
  TimeMs valid_until_ms = 0;  // not included
  std::int64_t uses = 0;
  std::int64_t uses_max = 1;
  std::uint64_t reservation = 0;  // that holds a use; 0: none
  bool was_returned = false;
  bool is_revoked = false;
  bool has_lapsed = false;          // expired, and what it held was given back
  std::vector<Posting> holds = {};  // of an honoured one
  std::string decision_id = {};
  std::string round = {};

  GrantState state_at(TimeMs time_ms) const;
};
std::string encode(const Grant& grant);
absl::StatusOr<Grant> decode_grant(std::string_view bytes);

// One offer that was used for an order.
struct Use {
  struct Count {
    std::string account = {};
    Measure measure = Measure::uses;
    std::int64_t amount = 0;
  };
  std::string offer = {};
  std::uint64_t version = 0;
  std::string code = {};    // as it was given; empty for an automatic offer
  std::uint64_t grant = 0;  // 0: none
  std::vector<Money> by_line = {};
  Money shipping = {};
  std::int64_t points = 0;
  std::int64_t pieces = 0;         // as in Cut
  std::vector<Gift> gifts = {};    // to be added: one or none
  std::vector<Count> counts = {};  // what it counts on: held by a reservation, else committed

  Money total() const {
    Money sum = shipping;
    for (const Money part : by_line) sum.minor += part.minor;
    return sum;
  }
};

struct Return {
  std::string id = {};
  std::string request_hash = {};
  TimeMs time_ms = 0;
  std::vector<std::int64_t> quantities = {};  // by line
  Money refund = {};
  std::vector<Money> refund_by_line = {};
  std::int64_t points_taken_back = 0;
};

enum class OrderState : std::uint8_t {
  held,
  released,
  expired,
  applied,
  partly_returned,
  returned
};
std::string_view name_of(OrderState state);

// A reservation, or a redemption: what an order is priced at.
struct Order {
  std::uint64_t number = 0;  // of a reservation
  std::string order_id = {};
  UserNumber user = k_nobody;
  OrderState state = OrderState::applied;
  TimeMs time_ms = 0;
  TimeMs expires_ms = 0;  // of a reservation
  std::string request_hash = {};
  Cart cart = {};
  std::vector<Use> uses = {};
  Money payable = {};
  std::vector<std::string> first_order_keys = {};
  std::uint64_t reservation = 0;  // that a redemption came from
  std::vector<Return> returns = {};

  Money discount() const {
    Money sum;
    for (const Use& use : uses) sum.minor += use.total().minor;
    return sum;
  }
  std::int64_t points() const {
    std::int64_t sum = 0;
    for (const Use& use : uses) sum += use.points;
    return sum;
  }
};
std::string encode(const Order& order);
absl::StatusOr<Order> decode_order(std::string_view bytes);

}  // namespace vitrine::coupons
