// Hands an immutable value from one writer to many readers.
//
// A reader keeps the version it took for the whole request; the old version is freed when its last
// reader lets go. Thread-safe. The lock is held only while a pointer is copied.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace vitrine {

template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) { publish(std::move(first)); }

  std::shared_ptr<const T> current() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  // Precondition, checked: `next` is not null.
  void publish(std::shared_ptr<const T> next) {
    CHECK(next != nullptr, "publish a value");
    const std::lock_guard lock(mutex_);
    value_.swap(next);
  }  // `next` now holds the old version; it is released after the lock.

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace vitrine
