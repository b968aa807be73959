#include "server/coupons/grant_jobs.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/status.h"
#include "server/events/commit_scheduling.h"
#include "server/events/function_command.h"
#include "server/events/replacements.h"

namespace vitrine::coupons {
namespace {

using store::Family;

constexpr auto k_nap = std::chrono::milliseconds(250);  // while nothing runs
constexpr auto k_pause_after_error = std::chrono::seconds(5);

std::string job_key(std::uint64_t number) { return "j" + store::key_of(number); }
std::string people_key(std::uint64_t number) { return "m" + store::key_of(number); }
std::string scores_key(std::uint64_t number) { return "s" + store::key_of(number); }

// On this machine's terms: a job is gone on with where it was begun.
std::string bytes_of(const std::vector<float>& scores) {
  std::string bytes(scores.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), scores.data(), bytes.size());
  return bytes;
}

// It is the offer that cannot be given, not this person who cannot have it.
bool is_about_everybody(Reason reason) {
  return reason == Reason::budget || reason == Reason::stock || reason == Reason::paused ||
         reason == Reason::expired || reason == Reason::not_started;
}

// What became of one person; false when the job ends before them.
bool count(const Desk::Issued& one, UserNumber user, GrantJob& job) {
  if (one.denial && is_about_everybody(one.denial->reason)) {
    job.state = JobState::stopped;
    job.stopped_by = one.denial->reason;
    return false;
  }
  if (one.denial) {
    ++job.denied.at(static_cast<std::size_t>(one.denial->reason));
  } else if (one.withheld) {
    ++job.withheld.at(static_cast<std::size_t>(*one.withheld));
  } else if (one.grant) {
    ++(one.is_new ? job.granted : job.had_it);
  } else {
    ++job.gone;
  }
  ++job.looked_at;
  job.after = user;
  return true;
}

absl::Status is_over(const GrantJob& job) {
  return failed_precondition("job {} is {}: nothing about it can be changed", job.number,
                             name_of(job.state));
}

}  // namespace

// Who is next, found by the thread; the command looks whether it still is.
struct GrantJobs::Portion {
  UserNumber after = k_nobody;
  std::vector<UserNumber> people = {};
  std::vector<float> scores = {};
  bool is_last = false;
};

GrantJobs::GrantJobs(const Parts& parts)
    : parts_(parts),
      running_(parts.metrics.gauge("vitrine_coupons_grant_jobs",
                                   "Jobs that give coupons to many people and are not over")),
      granted_(parts.metrics.counter("vitrine_coupons_granted_by_jobs_total",
                                     "Coupons given to people by jobs")) {}

GrantJobs::~GrantJobs() { stop(); }

absl::StatusOr<std::unique_ptr<GrantJobs>> GrantJobs::open(const Parts& parts) {
  std::unique_ptr<GrantJobs> jobs(new GrantJobs(parts));
  const auto cursor = parts.database.walk(Family::grants, "j", false);
  for (; cursor->valid() && cursor->key().front() == 'j'; cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(GrantJob job, decode_grant_job(cursor->value()));
    jobs->jobs_[job.number] = std::move(job);
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  jobs->show();
  return jobs;
}

void GrantJobs::start() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable() || is_stopping_) return;
  thread_ = std::thread([this] { run(); });
}

void GrantJobs::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GrantJobs::run() {
  events::stay_in_the_background();
  while (true) {
    const absl::StatusOr<bool> did = step();
    if (!did.ok()) parts_.log.error("grant job status={}", did.status().ToString());
    std::unique_lock lock(mutex_);
    const auto is_stopping = [this] { return is_stopping_; };
    if (!did.ok()) {
      wake_.wait_for(lock, k_pause_after_error, is_stopping);
    } else if (*did) {
      wake_.wait_for(lock, k_rest, is_stopping);
    } else {
      wake_.wait_for(lock, k_nap);
    }
    if (is_stopping_) return;
  }
}

std::optional<GrantJob> GrantJobs::next_to_run() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, job] : jobs_) {
    if (job.state == JobState::running) return job;
  }
  return std::nullopt;
}

absl::StatusOr<const segments::Membership*> GrantJobs::people_of(const GrantJob& job) {
  if (people_of_job_ == job.number) return &people_;
  VITRINE_ASSIGN_OR_RETURN(const auto stored,
                           parts_.database.get(Family::grants, people_key(job.number)));
  auto people = stored ? segments::Membership::decode(*stored) : std::nullopt;
  if (!people) return data_loss("the people of job {} cannot be read", job.number);
  VITRINE_RETURN_IF_ERROR(read_scores(job));
  people_ = *std::move(people);
  people_of_job_ = job.number;
  return &people_;
}

absl::Status GrantJobs::read_scores(const GrantJob& job) {
  people_of_job_ = 0;
  scores_.clear();
  VITRINE_ASSIGN_OR_RETURN(const auto stored,
                           parts_.database.get(Family::grants, scores_key(job.number)));
  if (!stored) return absl::OkStatus();
  if (stored->size() != job.people * sizeof(float)) {
    return data_loss("the scores of job {} cannot be read", job.number);
  }
  scores_.resize(job.people);
  std::memcpy(scores_.data(), stored->data(), stored->size());
  return absl::OkStatus();
}

absl::StatusOr<bool> GrantJobs::step() {
  const std::optional<GrantJob> job = next_to_run();
  if (!job) return false;
  const absl::StatusOr<const segments::Membership*> found = people_of(*job);
  if (!found.ok()) {
    // Cancelled in between, it has no people any more.
    const auto now = this->job(job->number);
    if (!now || now->state != JobState::running) return true;
    return found.status();
  }
  const segments::Membership* const people = *found;
  Portion portion{.after = job->after, .people = people->list(job->after, k_portion)};
  portion.is_last = portion.people.size() < k_portion;
  if (job->looked_at + portion.people.size() <= scores_.size()) {  // as many came before
    const auto first = scores_.begin() + static_cast<std::ptrdiff_t>(job->looked_at);
    portion.scores.assign(first, first + static_cast<std::ptrdiff_t>(portion.people.size()));
  }
  VITRINE_RETURN_IF_ERROR(
      events::submit_patiently(parts_.committer, [&](events::Batch& batch) -> absl::Status {
        VITRINE_ASSIGN_OR_RETURN(auto now, stored(batch, job->number));
        const bool is_still = now && now->state == JobState::running && now->after == portion.after;
        return is_still ? stage_portion(batch, portion, *now) : absl::OkStatus();
      }));
  return true;
}

absl::Status GrantJobs::stage_portion(events::Batch& batch, const Portion& portion, GrantJob& job) {
  const std::uint64_t granted_before = job.granted;
  const auto issued =
      parts_.desk.stage_issue(batch, {.offer = job.offer,
                                      .round = job.round,
                                      .people = portion.people,
                                      .is_one_of_campaign = !job.allocation.empty(),
                                      .policy = job.policy,
                                      .policy_version = job.policy.empty() ? 0U : 1U,
                                      .scores = portion.scores});
  if (issued.ok()) {
    std::size_t place = 0;
    while (place < issued->size() && count((*issued)[place], portion.people[place], job)) ++place;
    if (place == portion.people.size() && portion.is_last) job.state = JobState::done;
  } else {
    parts_.log.error("grant job={} status={}", job.number, issued.status().ToString());
    job.state = JobState::stopped;
    job.stopped_by = Reason::expired;
  }
  if (job.is_over()) erase_people(batch, job);
  put(batch, job);
  batch.after_sync(
      [this, given = job.granted - granted_before] { granted_.add(static_cast<double>(given)); });
  if (job.state != JobState::running) {
    parts_.log.info("grant job={} offer={} state={} granted={}", job.number, job.offer,
                    name_of(job.state), job.granted);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<GrantJob>> GrantJobs::stored(const events::Batch& batch,
                                                          std::uint64_t number) const {
  VITRINE_ASSIGN_OR_RETURN(const auto bytes, batch.get(Family::grants, job_key(number)));
  if (!bytes) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(GrantJob job, decode_grant_job(*bytes));
  return job;
}

void GrantJobs::put(events::Batch& batch, const GrantJob& job) {
  GrantJob changed = job;
  changed.changed_ms = batch.time_ms();
  batch.put(Family::grants, job_key(job.number), encode(changed));
  batch.after_sync([this, changed] {
    {
      const std::lock_guard lock(mutex_);
      jobs_[changed.number] = changed;
    }
    show();
    wake_.notify_all();
  });
}

void GrantJobs::show() const {
  const std::lock_guard lock(mutex_);
  const auto unfinished =
      std::ranges::count_if(jobs_, [](const auto& one) { return !one.second.is_over(); });
  running_.set(static_cast<double>(unfinished));
}

absl::Status GrantJobs::submit(std::function<absl::Status(events::Batch&, GrantJob&)> stage,
                               OnJob done) {
  const auto job = std::make_shared<GrantJob>();
  const auto run = [job, stage = std::move(stage)](events::Batch& batch) {
    return stage(batch, *job);
  };
  const auto answer = [job, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*job)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

// The oldest that are over make room.
void GrantJobs::drop_oldest(events::Batch& batch, std::size_t more) {
  const std::lock_guard lock(mutex_);
  std::size_t count = jobs_.size() + more;
  for (const auto& [number, job] : jobs_) {
    if (count <= k_kept_max) return;
    if (!job.is_over()) continue;
    --count;
    batch.erase(Family::grants, job_key(number));
    batch.after_sync([this, dropped = number] {
      const std::lock_guard inner(mutex_);
      jobs_.erase(dropped);
    });
  }
}

absl::Status GrantJobs::check_begin(const Plan& plan, std::size_t more) const {
  const Terms terms = parts_.desk.offers()->terms(plan.offer);
  if (!terms.offer || !terms.campaign) return not_found("there is no offer {}", plan.offer);
  if (terms.offer->trigger != Trigger::granted) {
    return failed_precondition("offer {} has the trigger {}: a job gives granted ones", plan.offer,
                               name_of(terms.offer->trigger));
  }
  const std::lock_guard lock(mutex_);
  const auto unfinished =
      std::ranges::count_if(jobs_, [](const auto& one) { return !one.second.is_over(); });
  if (static_cast<std::size_t>(unfinished) + more > k_unfinished_max) {
    return failed_precondition("{} jobs are not over, at most {} may be: cancel one", unfinished,
                               k_unfinished_max);
  }
  return absl::OkStatus();
}

void GrantJobs::stage_begin(events::Batch& batch, Plan& plan, std::uint64_t number, GrantJob& job) {
  for (const std::string& id : plan.user_ids) {
    const identity::Who who = parts_.identities.resolve(batch, id, "");
    if (!who.is_erased) plan.people.set(who.user, true);
  }
  job = {.number = number,
         .offer = plan.offer,
         .round = plan.round,
         .segment = plan.segment,
         .allocation = plan.allocation,
         .policy = plan.policy,
         .people = plan.people.size(),
         .created_ms = batch.time_ms(),
         .changed_ms = batch.time_ms()};
  batch.put(Family::grants, people_key(job.number), plan.people.encode());
  if (!plan.scores.empty()) {
    batch.put(Family::grants, scores_key(job.number), bytes_of(plan.scores));
  }
  put(batch, job);
}

absl::Status GrantJobs::stage_begin_all(events::Batch& batch, std::vector<Plan>& plans,
                                        std::vector<GrantJob>& jobs) {
  for (const Plan& plan : plans) VITRINE_RETURN_IF_ERROR(check_begin(plan, plans.size()));
  const Source source(batch);
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    numbers.push_back(Desk::next_number(batch, source));
    VITRINE_RETURN_IF_ERROR(source.status());
  }
  drop_oldest(batch, plans.size());
  jobs.resize(plans.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    stage_begin(batch, plans[i], numbers[i], jobs[i]);
  }
  return absl::OkStatus();
}

void GrantJobs::erase_people(events::Batch& batch, const GrantJob& job) {
  batch.erase(Family::grants, people_key(job.number));
  batch.erase(Family::grants, scores_key(job.number));
}

absl::Status GrantJobs::stage_change(events::Batch& batch, Change change, GrantJob& job) {
  if (job.is_over()) return is_over(job);
  switch (change) {
    case Change::pause:
      if (job.state == JobState::running) job.state = JobState::paused;
      break;
    case Change::resume:
      job.state = JobState::running;
      job.stopped_by.reset();
      break;
    case Change::cancel:
      job.state = JobState::cancelled;
      erase_people(batch, job);
      break;
  }
  put(batch, job);
  return absl::OkStatus();
}

absl::Status GrantJobs::begin_all(std::vector<Plan> plans, OnJobs done) {
  const auto kept = std::make_shared<std::vector<Plan>>(std::move(plans));
  const auto jobs = std::make_shared<std::vector<GrantJob>>();
  const auto run = [this, kept, jobs](events::Batch& batch) {
    return stage_begin_all(batch, *kept, *jobs);
  };
  const auto answer = [jobs, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*jobs)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

absl::Status GrantJobs::begin(Plan plan, OnJob done) {
  std::vector<Plan> one;
  one.push_back(std::move(plan));
  return begin_all(std::move(one),
                   [done = std::move(done)](absl::StatusOr<std::vector<GrantJob>> jobs) {
                     jobs.ok() ? done(std::move(jobs->front())) : done(jobs.status());
                   });
}

absl::Status GrantJobs::change(std::uint64_t number, Change change, OnJob done) {
  return submit(
      [this, number, change](events::Batch& batch, GrantJob& job) -> absl::Status {
        VITRINE_ASSIGN_OR_RETURN(auto known, stored(batch, number));
        if (!known) return not_found("there is no job {}", number);
        job = *std::move(known);
        return stage_change(batch, change, job);
      },
      std::move(done));
}

std::optional<GrantJob> GrantJobs::job(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(number);
  return found == jobs_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<GrantJob> GrantJobs::jobs() const {
  const std::lock_guard lock(mutex_);
  std::vector<GrantJob> all;
  for (const auto& [number, job] : jobs_) all.push_back(job);
  std::ranges::reverse(all);
  return all;
}

std::vector<GrantJob> GrantJobs::jobs_of(std::string_view allocation) const {
  const std::lock_guard lock(mutex_);
  std::vector<GrantJob> all;
  for (const auto& [number, job] : jobs_) {
    if (!allocation.empty() && job.allocation == allocation) all.push_back(job);
  }
  return all;
}

}  // namespace vitrine::coupons
