// The deliveries of one webhook: in order for each person, one at a time, again later when they
// fail.
//
// In memory only; what is to be kept is told to the caller. Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "server/webhooks/delivery.h"
#include "server/webhooks/outgoing_client.h"

namespace vitrine::webhooks {

struct RetryOptions {
  TimeMs wait_ms = 5'000;  // after the first failure; doubles with each
  TimeMs wait_ms_max = k_hour_ms;
  std::uint32_t attempts_max = 20;   // then it is given up: some 12 hours
  TimeMs age_ms_max = 3 * k_day_ms;  // likewise
  std::size_t dead_max = 10'000;     // given up and kept, a webhook; the oldest go first
};

// One attempt, for the one who looks why nothing arrives.
struct Attempt {
  std::string id;
  std::string type;
  TimeMs time_ms = 0;
  PostOutcome outcome;
};

class TargetQueue {
 public:
  static constexpr std::size_t k_in_flight_max = 8;
  static constexpr std::size_t k_attempts_kept = 100;
  // So many failures in a row, and one attempt at a time is made, with a rest in between.
  static constexpr std::uint32_t k_failures_until_rest = 5;
  static constexpr TimeMs k_rest_ms_max = k_minute_ms;
  // As long as the receiver asks for with Retry-After, at most.
  static constexpr TimeMs k_asked_rest_ms_max = k_day_ms;

  explicit TargetQueue(const RetryOptions& options) : options_(options) {}

  void add(Delivery delivery);
  void add_dead(Delivery delivery);

  // The next one to be sent now, in flight from here on; nothing while there is none, or too many
  // are in flight, or the webhook rests.
  std::optional<Delivery> take(TimeMs now_ms);
  // When take() is worth another look; nothing: when something is added or ends.
  std::optional<TimeMs> next_ms() const;

  // What became of the one in flight.
  struct Ended {
    enum class Kind { delivered, again, dead, forgotten } kind = Kind::forgotten;
    Delivery delivery;                          // with the attempt counted
    std::optional<std::uint64_t> dropped_dead;  // made room for this one
  };
  Ended end(const Delivery& delivery, const PostOutcome& outcome, TimeMs now_ms);
  // Nobody is to be told any more: out of the queue, without an attempt.
  void drop(const Delivery& delivery);

  // Everything about these people goes; the numbers of what waited and of what was dead.
  struct Forgotten {
    std::vector<std::uint64_t> waiting;
    std::vector<std::uint64_t> dead;
  };
  Forgotten forget(const std::vector<UserNumber>& people);
  // What was given up, to be tried anew.
  std::vector<Delivery> take_dead(std::size_t count_max);

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t in_flight() const { return in_flight_.size(); }
  std::optional<TimeMs> oldest_ms() const;
  std::uint32_t failures_in_row() const { return failures_in_row_; }
  std::uint64_t last_number() const { return last_number_; }
  const std::map<std::uint64_t, Delivery>& all_waiting() const { return waiting_; }
  const std::map<std::uint64_t, Delivery>& dead() const { return dead_; }
  const std::deque<Attempt>& attempts() const { return attempts_; }
  void note_attempt(Attempt attempt);

 private:
  TimeMs wait_after(std::uint32_t failures) const;
  void queue_head(UserNumber user);
  void remove(std::uint64_t number, UserNumber user);

  const RetryOptions options_;
  std::map<std::uint64_t, Delivery> waiting_;  // in flight too
  std::map<std::uint64_t, Delivery> dead_;
  absl::flat_hash_map<UserNumber, std::deque<std::uint64_t>> by_user_;  // oldest first
  std::set<std::pair<TimeMs, std::uint64_t>> due_;  // the first of each person, unless in flight
  std::set<std::uint64_t> in_flight_;
  std::deque<Attempt> attempts_;  // newest last
  std::uint32_t failures_in_row_ = 0;
  TimeMs rests_until_ms_ = 0;
  TimeMs asked_rest_until_ms_ = 0;  // by the receiver: another that is taken does not end it
  std::uint64_t last_number_ = 0;
};

}  // namespace vitrine::webhooks
