// Who is a program: by the name it gives itself, or by doing more than people can.
//
// What it does is kept and flagged: it is not learnt from and not counted.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "model/event.h"
#include "model/ids.h"

namespace vitrine::collect {

// The User-Agent of a crawler, a browser without a window, or a tool; an empty one is not. Any
// thread.
bool is_bot_agent(std::string_view user_agent);

// Counts what each person does in a minute, in memory: after a restart it begins anew. Not
// thread-safe.
class BurstWatch {
 public:
  struct Options {
    std::size_t events_max = 300;      // looks and deeds of one person within the window
    TimeMs window_ms = k_minute_ms;    // of arrival
    TimeMs flagged_ms = k_day_ms;      // for so long a person stays flagged
    std::size_t people_max = 200'000;  // watched at a time; beyond, counting begins anew
  };
  explicit BurstWatch(const Options& options) : options_(options) {}

  enum class Verdict { person, begins, bot };
  // `begins` for the event that is one too many: from the window's begin on it was a program.
  Verdict look_at(UserNumber person, const Event& event, TimeMs now_ms);
  const Options& options() const { return options_; }

 private:
  struct Count {
    TimeMs window_began_ms = 0;
    TimeMs flagged_until_ms = 0;
    std::size_t events = 0;
    std::size_t events_before = 0;  // of the window before
  };
  const Options options_;
  absl::flat_hash_map<UserNumber, Count> counts_;
};

}  // namespace vitrine::collect
