// Allocations of campaigns as they are worked on: tried, or granted by jobs that outlive a crash.
//
// What one is to be granted becomes jobs in one durable write, and goes on as they do
// (grant_jobs.h). What it came to is kept in memory: after a restart there are its jobs only.
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "server/coupons/allocator.h"
#include "server/coupons/grant_jobs.h"

namespace vitrine::coupons {

// Granting, and stopped when nothing can be given any more, as its jobs say.
enum class AllocationState : std::uint8_t { working, granting, stopped, done, failed };
std::string_view name_of(AllocationState state);

class Allocations {
 public:
  static constexpr std::size_t k_working_max = 2;  // at the same time
  static constexpr std::size_t k_kept_max = 50;    // with those that are over

  struct Parts {  // all outlive it
    const Allocator& allocator;
    GrantJobs& jobs;
    const Clock& clock;
    Log& log;
  };
  explicit Allocations(const Parts& parts) : parts_(parts) {}

  struct Run {
    std::string id = {};
    AllocationQuestion question = {};
    bool is_trial = false;  // nothing is granted
    AllocationState state = AllocationState::working;
    double progress = 0;  // of working it out
    absl::Status status = {};
    std::shared_ptr<const CampaignAllocation> result = {};  // null before, and after a restart
    std::vector<GrantJob> jobs = {};
    TimeMs began_ms = 0;
  };
  // Then somebody calls work(). Errors: those of Allocator::check(); ResourceExhausted while others
  // are worked on.
  absl::StatusOr<Run> begin(AllocationQuestion question, bool is_trial);
  // Instead of work(): nobody has the time.
  void give_up(const std::string& id, const absl::Status& why);
  // Works it out, and begins its jobs; takes a while. Waits for the committer.
  void work(const std::string& id);
  // Nothing for one that is not known any more, or is another campaign's.
  std::optional<Run> run(std::string_view campaign, std::string_view id) const;

  void stop();  // what is worked on fails

 private:
  absl::StatusOr<std::shared_ptr<const CampaignAllocation>> worked_out(const Run& run);
  absl::Status grant(const Run& run, std::vector<GrantJobs::Plan> plans);
  Run* find(std::string_view id);
  // Its state as its jobs have it.
  void follow_jobs(Run& run) const;
  std::optional<Run> run_of_jobs(std::string_view campaign, std::string_view id) const;

  const Parts parts_;
  std::atomic<bool> is_stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Run> runs_;      // oldest first
};

}  // namespace vitrine::coupons
