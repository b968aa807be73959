// The keys of Family::grants.
//
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/ids.h"
#include "server/store/key.h"

namespace vitrine::coupons {

inline std::string grant_key(std::uint64_t number) { return "g" + store::key_of(number); }
inline std::string reservation_key(std::uint64_t number) { return "h" + store::key_of(number); }
// Of all grants of a user, in the order in which they were issued.
inline std::string user_key(UserNumber user) { return "u" + store::key_of(user.value()); }
inline std::string user_grant_key(UserNumber user, std::uint64_t grant) {
  return user_key(user) + store::key_of(grant);
}
inline std::string user_order_key(UserNumber user, std::string_view redemption_key) {
  return "o" + store::key_of(user.value()) + std::string(redemption_key);
}
// When something that is held falls due.
inline std::string due_key(TimeMs time_ms, std::string_view key) {
  return "e" + store::key_of(static_cast<std::uint64_t>(time_ms)) + std::string(key);
}

// What the keys of first orders hold once an order redeemed them: it, by its fixed hash.
inline std::string first_order_holder(std::uint64_t order_hash) {
  return "order" + store::key_of(order_hash);
}

// Those that lead from what somebody sent.
class HashedKeys {
 public:
  explicit HashedKeys(std::string secret) : secret_(std::move(secret)) {}
  std::string code(std::string_view normalized) const { return "c" + hash("code", "", normalized); }
  std::string redemption(std::string_view order) const { return "r" + hash("order", "", order); }
  std::string held_order(std::string_view order) const { return "k" + hash("order", "", order); }
  std::string issue(std::string_view offer, std::string_view round, UserNumber user) const {
    return "i" + hash(std::string(offer) + "/" + std::to_string(user.value()), round, "issue");
  }
  std::string points(UserNumber user, std::string_view reference) const {
    return "q" + hash("points/" + std::to_string(user.value()), reference, "change");
  }
  std::string first_order(UserNumber user) const { return "fu" + store::key_of(user.value()); }
  std::string first_order(std::string_view identifier) const {
    return "fi" + hash("identifier", "", identifier);
  }
  std::string hash(std::string_view kind, std::string_view scope, std::string_view id) const {
    return store::hashed_key(secret_, kind, scope, id);
  }

 private:
  std::string secret_;
};

}  // namespace vitrine::coupons
