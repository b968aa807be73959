// Who clicked on what was shown to them, of the last days: whom a later purchase is owed to.
//
// Deterministic: the same clicks in the same order leave the same state. Bounded by count and age.
// Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace vitrine::decisions {

struct Touch {
  UserNumber user;
  std::uint64_t product = 0;  // a fixed hash of the product id
  TimeMs time_ms = 0;         // of the click
  std::uint32_t slot = 0;     // where it was shown

  friend bool operator==(const Touch&, const Touch&) = default;
};

class Touches {
 public:
  static constexpr TimeMs k_window_ms = 7 * k_day_ms;    // from a click to the purchase it is given
  static constexpr std::size_t k_touches_max = 200'000;  // beyond, the oldest are forgotten
  static constexpr std::size_t k_person_max = 50;        // of one person, likewise

  void add(const Touch& touch);
  // What the visitor clicked is the user's from now on.
  void move(UserNumber from, UserNumber to);
  void erase(UserNumber user);
  // The slot of the person's last click on the product in the window before `time_ms`.
  std::optional<std::uint32_t> last(UserNumber user, std::uint64_t product, TimeMs time_ms) const;

  // In the order in which add() makes the same state again.
  std::vector<Touch> all() const;

 private:
  void forget(const Touch& touch);

  absl::flat_hash_map<UserNumber, std::vector<Touch>> people_;  // oldest first
  std::deque<Touch> order_;  // as they came; those that moved or gave way stand here still
};

}  // namespace vitrine::decisions
