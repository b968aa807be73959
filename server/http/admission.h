// Who is answered when more is asked than can be answered, and how well.
//
// Judged by how long a request has waited for its turn, in parts of the deadline of an answer: past
// a quarter nothing is searched any more, past three eighths the fallback answers, past a half the
// request is refused. A key that takes more than its share is refused from a quarter on, one that
// takes less than half of it as long as the fallback can still be in time (seven eighths), so that
// a noisy key makes room for quiet ones. A queue that a short pause left is no overload: nobody is
// refused before it has lasted a quarter of the deadline. Thread-safe; costs a comparison while
// nobody waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/string_map.h"
#include "server/recommend/recommender.h"

namespace vitrine::http {

class Admission {
 public:
  // Of a shorter deadline than this the parts are of this: what a busy machine does to everybody is
  // no overload, and what is late answers more cheaply by itself.
  static constexpr TimeMs k_deadline_ms_min = 50;

  // `metrics` outlives it. `deadline_ms`: that of recommendations.
  Admission(TimeMs deadline_ms, Metrics& metrics);

  // What to spend on a request of `key_id` (empty: there are no keys) that has waited so long;
  // nothing: refuse it. `now_us` is of a steady clock.
  std::optional<recommend::Effort> admit(std::string_view key_id, std::int64_t waited_us,
                                         std::int64_t now_us);

 private:
  // Of what was admitted in the last moments of an overload.
  enum class Share { small, fair, large };
  struct Admitted {
    std::uint64_t weight = 0;
    bool has_asked = true;  // since the last halving
  };
  Share share_of(const Admitted& admitted) const;
  bool is_refused(const Admitted& admitted, std::int64_t waited_us, std::int64_t now_us);
  void forget(std::int64_t now_us);
  std::optional<recommend::Effort> judge(std::string_view key_id, std::int64_t waited_us,
                                         std::int64_t now_us);

  const std::int64_t deadline_us_;
  Histogram& waited_seconds_;
  Counter& without_search_;
  Counter& fallback_;
  Counter& refused_;

  std::atomic<std::int64_t> counts_until_us_ = 0;  // whose requests are admitted is of interest

  std::mutex mutex_;  // guards the rest
  StringMap<Admitted> admitted_;
  std::uint64_t all_admitted_ = 0;  // the sum of the above
  std::int64_t halved_us_ = 0;
  std::int64_t overload_since_us_ = 0;
  std::int64_t last_overload_us_ = 0;
};

}  // namespace vitrine::http
