// When whom has to be looked at again: one moment a person, to the second.
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
  // At `time_ms` or within the second after it; earlier when that was said before.
  void lower(UserNumber user, TimeMs time_ms) {
    constexpr TimeMs k_second_ms = 1000;
    constexpr TimeMs k_last = UINT32_MAX;
    const TimeMs second = (std::max<TimeMs>(0, time_ms) + k_second_ms - 1) / k_second_ms;
    if (second >= k_last) return;
    if (user.value() >= due_.size()) due_.resize(user.value() + 1, 0);
    std::uint32_t& due = due_[user.value()];
    if (due != 0 && due <= second) return;
    due = static_cast<std::uint32_t>(second);
    users_[due].push_back(user);
  }

  // Takes those whose moment has come. Who was given an earlier one since is taken then.
  std::vector<UserNumber> take(TimeMs now_ms) {
    std::vector<UserNumber> taken;
    while (!users_.empty() && users_.begin()->first * TimeMs{1000} <= now_ms) {
      const auto& [second, users] = *users_.begin();
      for (const UserNumber user : users) {
        if (due_[user.value()] != second) continue;
        due_[user.value()] = 0;
        taken.push_back(user);
      }
      users_.erase(users_.begin());
    }
    return taken;
  }

  std::size_t bytes() const {
    std::size_t bytes = due_.capacity() * sizeof(std::uint32_t);
    for (const auto& [second, users] : users_) {
      bytes += sizeof(std::vector<UserNumber>) + users.capacity() * sizeof(UserNumber);
    }
    return bytes;
  }

 private:
  std::vector<std::uint32_t> due_;  // by user; 0: none
  absl::btree_map<std::uint32_t, std::vector<UserNumber>> users_;
};

}  // namespace vitrine::segments
