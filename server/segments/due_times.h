// When whom has to be looked at again: one moment a person, to the quarter of a second.
//
// Not thread-safe.
#pragma once

#include <absl/container/btree_map.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace vitrine::segments {

class DueTimes {
 public:
  // At `time_ms` or within a quarter of a second after it; earlier when that was said before.
  void lower(UserNumber user, TimeMs time_ms) {
    constexpr TimeMs k_last = UINT32_MAX;
    const TimeMs tick = 1 + (std::max(k_base_ms, time_ms) - k_base_ms + k_tick_ms - 1) / k_tick_ms;
    if (tick >= k_last) return;
    if (user.value() >= due_.size()) due_.resize(user.value() + 1, 0);
    std::uint32_t& due = due_[user.value()];
    if (due != 0 && due <= tick) return;
    due = static_cast<std::uint32_t>(tick);
    users_[due].push_back(user);
  }

  // Takes those whose moment has come. Who was given an earlier one since is taken then.
  std::vector<UserNumber> take(TimeMs now_ms) {
    std::vector<UserNumber> taken;
    while (!users_.empty() && time_of(users_.begin()->first) <= now_ms) {
      const auto& [tick, users] = *users_.begin();
      for (const UserNumber user : users) {
        if (due_[user.value()] != tick) continue;
        due_[user.value()] = 0;
        taken.push_back(user);
      }
      users_.erase(users_.begin());
    }
    return taken;
  }

  std::size_t bytes() const {
    std::size_t bytes = due_.capacity() * sizeof(std::uint32_t);
    for (const auto& [tick, users] : users_) {
      bytes += sizeof(std::vector<UserNumber>) + users.capacity() * sizeof(UserNumber);
    }
    return bytes;
  }

 private:
  // Ticks are counted from 2020 on, so that 32 bits reach until 2054; what is due before is due.
  static constexpr TimeMs k_base_ms = 1'577'836'800'000;
  static constexpr TimeMs k_tick_ms = 250;
  static constexpr TimeMs time_of(std::uint32_t tick) {
    return k_base_ms + (TimeMs{tick} - 1) * k_tick_ms;
  }

  std::vector<std::uint32_t> due_;  // ticks by user; 0: none
  absl::btree_map<std::uint32_t, std::vector<UserNumber>> users_;
};

}  // namespace vitrine::segments
