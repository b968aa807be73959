#include "server/events/commit_scheduling.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace vitrine::events {
namespace {

// struct sched_attr of the kernel's interface (man 2 sched_setattr, version 0); the C library has
// none.
struct SchedAttributes {
  std::uint32_t size = sizeof(SchedAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

}  // namespace

const char* ask_for_prompt_wakeups() {
  sched_param parameters{};
  parameters.sched_priority = 10;
  if (::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &parameters) == 0) return "fifo";
  SchedAttributes attributes;
  attributes.runtime_ns = 100'000;
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return "short slice";
  return "default";
}

}  // namespace vitrine::events
