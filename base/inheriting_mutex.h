// A mutex for what a thread in the background shares with one that must be prompt.
//
// Whoever holds it runs with the priority of whoever waits for it (POSIX priority inheritance):
// otherwise a thread of low priority, interrupted while it holds the lock, makes the prompt one
// wait for its own next turn on a busy machine, tens of milliseconds. As fast as std::mutex while
// nobody waits. Works with std::lock_guard and std::unique_lock.
#pragma once

#include <pthread.h>

namespace vitrine {

class InheritingMutex {
 public:
  InheritingMutex();
  ~InheritingMutex() { ::pthread_mutex_destroy(&mutex_); }
  InheritingMutex(const InheritingMutex&) = delete;
  InheritingMutex& operator=(const InheritingMutex&) = delete;

  void lock();
  bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

}  // namespace vitrine
