#include "server/webhooks/target_queue.h"

#include <algorithm>
#include <utility>

namespace vitrine::webhooks {

void TargetQueue::add(Delivery delivery) {
  const std::uint64_t number = delivery.number;
  const UserNumber user = delivery.user;
  last_number_ = std::max(last_number_, number);
  if (!waiting_.emplace(number, std::move(delivery)).second) return;
  std::deque<std::uint64_t>& of_user = by_user_[user];
  of_user.insert(std::ranges::lower_bound(of_user, number), number);
  queue_head(user);
}

void TargetQueue::add_dead(Delivery delivery) {
  last_number_ = std::max(last_number_, delivery.number);
  dead_.emplace(delivery.number, std::move(delivery));
}

// Only the oldest of a person's may be sent, and none while one is on its way.
void TargetQueue::queue_head(UserNumber user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  const std::deque<std::uint64_t>& of_user = found->second;
  const auto is_in_flight = [&](std::uint64_t number) { return in_flight_.contains(number); };
  if (std::ranges::any_of(of_user, is_in_flight)) return;
  for (const std::uint64_t number : of_user) {
    due_.erase({waiting_.at(number).due_ms, number});
  }
  due_.emplace(waiting_.at(of_user.front()).due_ms, of_user.front());
}

void TargetQueue::remove(std::uint64_t number, UserNumber user) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  due_.erase({found->second.due_ms, number});
  waiting_.erase(found);
  in_flight_.erase(number);
  std::deque<std::uint64_t>& of_user = by_user_[user];
  std::erase(of_user, number);
  if (of_user.empty()) by_user_.erase(user);
}

std::optional<Delivery> TargetQueue::take(TimeMs now_ms) {
  const bool is_failing = failures_in_row_ >= k_failures_until_rest;
  if (in_flight_.size() >= (is_failing ? 1 : k_in_flight_max)) return std::nullopt;
  const TimeMs rests_until_ms = std::max(rests_until_ms_, asked_rest_until_ms_);
  if (now_ms < rests_until_ms || due_.empty() || due_.begin()->first > now_ms) return std::nullopt;
  const std::uint64_t number = due_.begin()->second;
  due_.erase(due_.begin());
  in_flight_.insert(number);
  return waiting_.at(number);
}

std::optional<TimeMs> TargetQueue::next_ms() const {
  const bool is_failing = failures_in_row_ >= k_failures_until_rest;
  if (due_.empty() || in_flight_.size() >= (is_failing ? 1 : k_in_flight_max)) return std::nullopt;
  return std::max({due_.begin()->first, rests_until_ms_, asked_rest_until_ms_});
}

TimeMs TargetQueue::wait_after(std::uint32_t failures) const {
  constexpr std::uint32_t k_doublings_max = 30;
  const TimeMs wait_ms = options_.wait_ms
                         << std::min(failures > 0 ? failures - 1 : 0, k_doublings_max);
  return std::min(wait_ms, options_.wait_ms_max);
}

TargetQueue::Ended TargetQueue::end(const Delivery& delivery, const PostOutcome& outcome,
                                    TimeMs now_ms) {
  note_attempt({delivery.id, delivery.type, now_ms, outcome});
  if (outcome.is_delivered()) {
    failures_in_row_ = 0;
    rests_until_ms_ = 0;
  } else if (++failures_in_row_ >= k_failures_until_rest) {
    const std::uint32_t rests = failures_in_row_ - k_failures_until_rest + 1;
    rests_until_ms_ = now_ms + std::min(wait_after(rests), k_rest_ms_max);
  }
  if (!outcome.is_delivered() && outcome.retry_after_ms > 0) {
    const TimeMs rest_ms = std::min(outcome.retry_after_ms, k_asked_rest_ms_max);
    asked_rest_until_ms_ = std::max(asked_rest_until_ms_, now_ms + rest_ms);
  }
  const auto found = waiting_.find(delivery.number);
  if (found == waiting_.end()) return {};  // the person was erased meanwhile
  Ended ended;
  ended.delivery = found->second;
  ++ended.delivery.attempts;
  ended.delivery.http_status = outcome.http_status;
  ended.delivery.error = outcome.error;
  ended.delivery.due_ms = now_ms;
  const UserNumber user = delivery.user;
  remove(delivery.number, user);
  if (outcome.is_delivered()) {
    ended.kind = Ended::Kind::delivered;
  } else if (ended.delivery.attempts >= options_.attempts_max ||
             now_ms - ended.delivery.since_ms >= options_.age_ms_max) {
    ended.kind = Ended::Kind::dead;
    if (dead_.size() >= options_.dead_max && !dead_.empty()) {
      ended.dropped_dead = dead_.begin()->first;
      dead_.erase(dead_.begin());
    }
    add_dead(ended.delivery);
  } else {
    ended.kind = Ended::Kind::again;
    ended.delivery.due_ms = now_ms + wait_after(ended.delivery.attempts);
    add(ended.delivery);
  }
  queue_head(user);
  return ended;
}

void TargetQueue::drop(const Delivery& delivery) {
  remove(delivery.number, delivery.user);
  queue_head(delivery.user);
}

TargetQueue::Forgotten TargetQueue::forget(const std::vector<UserNumber>& people) {
  Forgotten forgotten;
  for (const UserNumber user : people) {
    const auto found = by_user_.find(user);
    if (found == by_user_.end()) continue;
    const std::deque<std::uint64_t> numbers = found->second;
    for (const std::uint64_t number : numbers) {
      remove(number, user);
      forgotten.waiting.push_back(number);
    }
  }
  std::erase_if(dead_, [&](const auto& dead) {
    if (std::ranges::find(people, dead.second.user) == people.end()) return false;
    forgotten.dead.push_back(dead.first);
    return true;
  });
  return forgotten;
}

std::vector<Delivery> TargetQueue::take_dead(std::size_t count_max) {
  std::vector<Delivery> taken;
  while (!dead_.empty() && taken.size() < count_max) {
    taken.push_back(std::move(dead_.begin()->second));
    dead_.erase(dead_.begin());
  }
  return taken;
}

std::optional<TimeMs> TargetQueue::oldest_ms() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->second.time_ms;
}

void TargetQueue::note_attempt(Attempt attempt) {
  attempts_.push_back(std::move(attempt));
  if (attempts_.size() > k_attempts_kept) attempts_.pop_front();
}

}  // namespace vitrine::webhooks
