// Who tries codes of coupons that there are not: after some of them nobody is answered for a while.
//
// Counts by address and by user, in windows of time. Addresses of this machine are its own backends
// and proxies, and are not counted. Of more than k_known_max at once the counts begin anew.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/string_map.h"

namespace vitrine::http {

class WrongCodes {
 public:
  static constexpr std::uint32_t k_wrong_max = 20;         // in a window
  static constexpr TimeMs k_window_ms = 10 * k_minute_ms;  // from the first wrong one on
  static constexpr std::size_t k_known_max = 100'000;

  // Whether somebody may try one more code; `peer` 0 and an empty user are nobody.
  bool may_try(std::uint64_t peer, std::string_view user_id, TimeMs now_ms) const;
  void note(std::uint64_t peer, std::string_view user_id, std::size_t wrong, TimeMs now_ms);

 private:
  struct Count {
    TimeMs begun_ms = 0;
    std::uint32_t wrong = 0;
  };
  bool is_over(const std::string& who, TimeMs now_ms) const;
  void add(std::string who, std::size_t wrong, TimeMs now_ms);

  mutable std::mutex mutex_;
  StringMap<Count> counts_;
};

}  // namespace vitrine::http
