#include "server/events/commit_scheduling.h"

#include <sched.h>
#include <sys/resource.h>
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

constexpr std::uint64_t k_reset_on_fork = 1;  // SCHED_FLAG_RESET_ON_FORK

}  // namespace

void ask_for_prompt_wakeups() {
  sched_param parameters{};
  parameters.sched_priority = 10;
  if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0) return;
  SchedAttributes attributes;
  attributes.flags = k_reset_on_fork;
  attributes.runtime_ns = 100'000;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void stay_in_the_background() {
  constexpr int k_nice = 10;  // about a tenth of a processor that is wanted by others too
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), k_nice);
}

}  // namespace vitrine::events
