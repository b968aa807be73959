// A queue between threads that refuses when full instead of growing.
//
// A value may be pushed as patient: a consumer that finds only such values waits a little for a
// prompt one to take them along, so that they cost no wakeup each. Order is kept among all.
//
// Thread-safe, any number of producers and consumers. close() wakes everybody: producers are
// refused, consumers get what is left and then nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace vitrine {

template <class T>
class BoundedQueue {
 public:
  // `patience` is how long patient values may wait for a prompt one.
  explicit BoundedQueue(std::size_t capacity, std::chrono::milliseconds patience = {})
      : capacity_(capacity), patience_(patience) {}

  // False when the queue is full or closed; `value` is untouched then.
  bool try_push(T&& value) { return push(std::move(value), true); }
  bool try_push_patient(T&& value) { return push(std::move(value), false); }

  // Waits for at least one value, then takes up to `limit`. Empty only after close() with nothing
  // left.
  std::vector<T> pop_up_to(std::size_t limit) {
    std::unique_lock lock(mutex_);
    while (!closed_ && prompt_ == 0) {
      waiting_.wait(lock, [&] { return closed_ || !values_.empty(); });
      if (closed_ || prompt_ > 0) break;
      waiting_.wait_for(lock, patience_, [&] { return closed_ || prompt_ > 0; });
      if (!values_.empty()) break;  // another consumer may have taken them
    }
    std::vector<T> taken;
    taken.reserve(std::min(limit, values_.size()));
    while (!values_.empty() && taken.size() < limit) {
      taken.push_back(std::move(values_.front().value));
      if (values_.front().is_prompt) --prompt_;
      values_.pop_front();
    }
    return taken;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    waiting_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }
  std::size_t prompt_size() const {
    const std::lock_guard lock(mutex_);
    return prompt_;
  }
  std::size_t capacity() const { return capacity_; }

 private:
  struct Waiting {
    T value;
    bool is_prompt;
  };

  bool push(T&& value, bool is_prompt) {
    bool wakes = is_prompt;
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || values_.size() >= capacity_) return false;
      wakes = wakes || values_.empty();
      values_.push_back({std::move(value), is_prompt});
      if (is_prompt) ++prompt_;
    }
    if (wakes) waiting_.notify_one();
    return true;
  }

  const std::size_t capacity_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<Waiting> values_;
  std::size_t prompt_ = 0;  // of values_
  bool closed_ = false;
};

}  // namespace vitrine
