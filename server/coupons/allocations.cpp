#include "server/coupons/allocations.h"

#include <algorithm>
#include <future>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"

namespace vitrine::coupons {

std::string_view name_of(AllocationState state) {
  switch (state) {
    case AllocationState::working:
      return "working";
    case AllocationState::granting:
      return "granting";
    case AllocationState::stopped:
      return "stopped";
    case AllocationState::done:
      return "done";
    case AllocationState::failed:
      return "failed";
  }
  return "";
}

absl::StatusOr<Allocations::Run> Allocations::begin(AllocationQuestion question, bool is_trial) {
  VITRINE_RETURN_IF_ERROR(parts_.allocator.check(question));
  const TimeMs now_ms = parts_.clock.now_ms();
  const std::lock_guard lock(mutex_);
  const auto working = std::ranges::count(runs_, AllocationState::working, &Run::state);
  if (static_cast<std::size_t>(working) >= k_working_max) {
    return overloaded("{} allocations are worked on already, at most {} may be: try again later",
                      working, k_working_max);
  }
  const auto oldest = std::ranges::find_if(
      runs_, [](const Run& run) { return run.state != AllocationState::working; });
  if (runs_.size() >= k_kept_max && oldest != runs_.end()) runs_.erase(oldest);
  runs_.push_back({.id = make_ulid(now_ms),
                   .question = std::move(question),
                   .is_trial = is_trial,
                   .began_ms = now_ms});
  return runs_.back();
}

Allocations::Run* Allocations::find(std::string_view id) {
  const auto found = std::ranges::find(runs_, id, &Run::id);
  return found == runs_.end() ? nullptr : &*found;
}

absl::StatusOr<std::shared_ptr<const CampaignAllocation>> Allocations::worked_out(const Run& run) {
  const auto progress = [&](double share) -> absl::Status {
    if (is_stopping_) return absl::CancelledError("the server stops");
    const std::lock_guard lock(mutex_);
    if (Run* const known = find(run.id)) known->progress = share;
    return absl::OkStatus();
  };
  VITRINE_ASSIGN_OR_RETURN(CampaignAllocation found,
                           parts_.allocator.allocate(run.question, progress));
  std::vector<GrantJobs::Plan> plans = std::exchange(found.plans, {});
  if (!run.is_trial && !plans.empty()) VITRINE_RETURN_IF_ERROR(grant(run, std::move(plans)));
  return std::make_shared<const CampaignAllocation>(std::move(found));
}

absl::Status Allocations::grant(const Run& run, std::vector<GrantJobs::Plan> plans) {
  for (GrantJobs::Plan& plan : plans) {
    plan.round = run.question.round;
    plan.segment = run.question.segment;
    plan.allocation = run.id;
  }
  parts_.jobs.start();
  std::promise<absl::Status> begun;
  VITRINE_RETURN_IF_ERROR(parts_.jobs.begin_all(
      std::move(plans), [&begun](const absl::StatusOr<std::vector<GrantJob>>& jobs) {
        begun.set_value(jobs.status());
      }));
  return begun.get_future().get();
}

void Allocations::work(const std::string& id) {
  Run run;
  {
    const std::lock_guard lock(mutex_);
    const Run* const known = find(id);
    if (known == nullptr || known->state != AllocationState::working) return;
    run = *known;
  }
  const auto result = worked_out(run);
  if (!result.ok()) {
    parts_.log.warning("allocation campaign={} status={}", run.question.campaign,
                       result.status().ToString());
    return give_up(id, result.status());
  }
  const std::lock_guard lock(mutex_);
  if (Run* const known = find(id)) {
    known->progress = 1;
    known->state = AllocationState::done;
    known->result = *result;
  }
}

void Allocations::give_up(const std::string& id, const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  if (Run* const known = find(id)) {
    known->state = AllocationState::failed;
    known->status = why;
  }
}

void Allocations::follow_jobs(Run& run) const {
  run.jobs = parts_.jobs.jobs_of(run.id);
  if (run.state != AllocationState::done) return;
  for (const GrantJob& job : run.jobs) {
    if (job.is_over()) continue;
    const bool is_running = job.state == JobState::running;
    if (is_running) run.state = AllocationState::granting;
    if (!is_running && run.state == AllocationState::done) run.state = AllocationState::stopped;
  }
}

std::optional<Allocations::Run> Allocations::run_of_jobs(std::string_view campaign,
                                                         std::string_view id) const {
  Run run{.id = std::string(id), .state = AllocationState::done, .progress = 1};
  follow_jobs(run);
  if (run.jobs.empty()) return std::nullopt;
  const GrantJob& first = run.jobs.front();
  const auto offer = parts_.allocator.offer(first.offer);
  if (!offer || offer->campaign != campaign) return std::nullopt;
  run.question = {.campaign = offer->campaign, .segment = first.segment, .round = first.round};
  run.began_ms = first.created_ms;
  return run;
}

std::optional<Allocations::Run> Allocations::run(std::string_view campaign,
                                                 std::string_view id) const {
  std::optional<Run> found;
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(runs_, id, &Run::id);
    if (known != runs_.end()) found = *known;
  }
  if (!found) return run_of_jobs(campaign, id);
  if (found->question.campaign != campaign) return std::nullopt;
  follow_jobs(*found);
  return found;
}

void Allocations::stop() { is_stopping_ = true; }

}  // namespace vitrine::coupons
