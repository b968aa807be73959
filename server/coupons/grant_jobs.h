// Gives offers to many people, a few at a time, so that whoever buys meanwhile waits for nobody.
//
// Whom a job is for is settled when it begins, and kept. A portion, and how far the job is by it,
// are one durable write: after a crash it goes on behind the last portion, and nobody is given
// twice. When the offer has nothing left to give, or may not be given, the job stops and says why;
// it goes on when it is told to. Thread-safe; step() on one thread.
#pragma once

#include <absl/status/statusor.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/coupons/desk.h"
#include "server/coupons/grant_job.h"
#include "server/events/committer.h"
#include "server/segments/membership.h"
#include "server/store/database.h"

namespace vitrine::coupons {

class GrantJobs {
 public:
  static constexpr std::size_t k_portion = 50;           // people of one command
  static constexpr std::size_t k_unfinished_max = 20;    // jobs
  static constexpr std::size_t k_kept_max = 1000;        // with those that are over
  static constexpr std::size_t k_listed_max = 10'000;    // people of a job that lists them
  static constexpr std::chrono::milliseconds k_rest{1};  // between two portions

  // All outlive it.
  struct Parts {
    const store::Database& database;
    events::Committer& committer;
    identity::IdentityBook& identities;
    Desk& desk;
    Metrics& metrics;
    Log& log;
  };
  // DataLoss when its state cannot be read.
  static absl::StatusOr<std::unique_ptr<GrantJobs>> open(const Parts& parts);
  ~GrantJobs();  // stop()

  // The thread; without it somebody calls step().
  void start();
  void stop();
  // Does a portion of the oldest job that runs; false when none does.
  absl::StatusOr<bool> step();

  struct Plan {
    std::string offer = {};
    std::string round = {};
    std::string segment = {};  // whose members these are; empty: listed
    segments::Membership people = {};
    std::vector<std::string> user_ids = {};  // besides; who is not known yet becomes known
    // Of one that an allocation made: a person gets one offer of the campaign in the round.
    std::string allocation = {};
    std::string policy = {};
    std::vector<float> scores = {};  // of `people`, ascending; kept with the decisions
  };
  // Called once, on the committer thread, unless the call itself fails.
  using OnJob = std::function<void(absl::StatusOr<GrantJob>)>;
  // FailedPrecondition: an offer that is not granted by the shop, or too many jobs. NotFound: no
  // such offer.
  absl::Status begin(Plan plan, OnJob done);
  // All of them or none, in one durable write.
  using OnJobs = std::function<void(absl::StatusOr<std::vector<GrantJob>>)>;
  absl::Status begin_all(std::vector<Plan> plans, OnJobs done);
  enum class Change : std::uint8_t { pause, resume, cancel };
  // FailedPrecondition for one that is over. What it is already stays.
  absl::Status change(std::uint64_t number, Change change, OnJob done);

  std::optional<GrantJob> job(std::uint64_t number) const;
  std::vector<GrantJob> jobs() const;                                // the newest first
  std::vector<GrantJob> jobs_of(std::string_view allocation) const;  // as they were begun

 private:
  struct Portion;
  explicit GrantJobs(const Parts& parts);
  absl::Status check_begin(const Plan& plan, std::size_t more) const;
  void stage_begin(events::Batch& batch, Plan& plan, std::uint64_t number, GrantJob& job);
  absl::Status stage_begin_all(events::Batch& batch, std::vector<Plan>& plans,
                               std::vector<GrantJob>& jobs);
  absl::Status stage_change(events::Batch& batch, Change change, GrantJob& job);
  absl::Status stage_portion(events::Batch& batch, const Portion& portion, GrantJob& job);
  absl::Status submit(std::function<absl::Status(events::Batch&, GrantJob&)> stage, OnJob done);
  absl::StatusOr<std::optional<GrantJob>> stored(const events::Batch& batch,
                                                 std::uint64_t number) const;
  // Staged, and in memory once it is durable.
  void put(events::Batch& batch, const GrantJob& job);
  void drop_oldest(events::Batch& batch, std::size_t more);
  static void erase_people(events::Batch& batch, const GrantJob& job);
  absl::StatusOr<const segments::Membership*> people_of(const GrantJob& job);
  absl::Status read_scores(const GrantJob& job);
  std::optional<GrantJob> next_to_run() const;
  void run();
  void show() const;  // in the metrics

  const Parts parts_;
  Gauge& running_;
  Counter& granted_;
  // Of the job that was worked on last; the one thread that steps.
  std::uint64_t people_of_job_ = 0;
  segments::Membership people_;
  std::vector<float> scores_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::map<std::uint64_t, GrantJob> jobs_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vitrine::coupons
