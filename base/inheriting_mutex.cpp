#include "base/inheriting_mutex.h"

#include "base/check.h"

namespace vitrine {

InheritingMutex::InheritingMutex() {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  // Where the kernel knows no inheritance it is a common mutex.
  ::pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (::pthread_mutex_init(&mutex_, &attributes) != 0) ::pthread_mutex_init(&mutex_, nullptr);
  ::pthread_mutexattr_destroy(&attributes);
}

void InheritingMutex::lock() { CHECK(::pthread_mutex_lock(&mutex_) == 0, "a mutex can be locked"); }

}  // namespace vitrine
