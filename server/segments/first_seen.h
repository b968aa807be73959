// When everybody was first seen, as the segments last saw it: it hardly ever changes, and then all
// that asks for it has to be looked at again.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace vitrine::segments {

class FirstSeen {
 public:
  // Whether it is another time than before, or the first that is told of this person.
  bool set(UserNumber user, TimeMs time_ms) {
    if (user.value() >= times_.size()) times_.resize(user.value() + 1, k_untold);
    // The lower half tells apart what is less than 49 days apart, and what moves a first event is
    // a late one; 0 stands for nothing told.
    const auto told = static_cast<std::uint32_t>(time_ms) | 1U;
    if (times_[user.value()] == told) return false;
    times_[user.value()] = told;
    return true;
  }
  // Of somebody who is looked at with everybody else: what was told before is left as it is, so
  // that what is known of other segments is not passed over.
  void set_if_untold(UserNumber user, TimeMs time_ms) {
    if (user.value() >= times_.size() || times_[user.value()] == k_untold) set(user, time_ms);
  }
  std::size_t bytes() const { return times_.capacity() * sizeof(std::uint32_t); }

 private:
  static constexpr std::uint32_t k_untold = 0;
  std::vector<std::uint32_t> times_;  // by user
};

}  // namespace vitrine::segments
