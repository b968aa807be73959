// A queue between threads that refuses when full instead of growing.
//
// Thread-safe, any number of producers and consumers. close() wakes everybody: producers are
// refused, consumers get what is left and then nothing.
#pragma once

#include <algorithm>
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
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // False when the queue is full or closed; `value` is untouched then.
  bool try_push(T&& value) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || values_.size() >= capacity_) return false;
      values_.push_back(std::move(value));
    }
    waiting_.notify_one();
    return true;
  }

  // Waits for at least one value, then takes up to `limit`. Empty only after close() with nothing
  // left.
  std::vector<T> pop_up_to(std::size_t limit) {
    std::unique_lock lock(mutex_);
    waiting_.wait(lock, [&] { return closed_ || !values_.empty(); });
    std::vector<T> taken;
    taken.reserve(std::min(limit, values_.size()));
    while (!values_.empty() && taken.size() < limit) {
      taken.push_back(std::move(values_.front()));
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
  std::size_t capacity() const { return capacity_; }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<T> values_;
  bool closed_ = false;
};

}  // namespace vitrine
