// What the segments' thread works on, and what is asked of it beside that.
//
// For this folder's files only. Thread-safety: what belongs to whom is said below.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/segments/due_times.h"
#include "server/segments/first_seen.h"
#include "server/segments/live_members.h"
#include "server/segments/segment_engine.h"

namespace vitrine::segments {

struct EngineMetrics {
  explicit EngineMetrics(Metrics& metrics)
      : lag(metrics.gauge("vitrine_segments_lag_seconds",
                          "Age of the oldest change that the segments do not know yet")),
        bytes(metrics.gauge("vitrine_segments_members_bytes", "Memory of all memberships")),
        due_bytes(metrics.gauge("vitrine_segments_due_bytes",
                                "Memory of the times at which people are looked at again")),
        looked_at(metrics.counter("vitrine_segments_people_looked_at_total",
                                  "People whose segments were found out")),
        build_seconds(metrics.gauge("vitrine_segments_build_seconds", "The latest build")) {}
  Gauge& lag;
  Gauge& bytes;
  Gauge& due_bytes;
  Counter& looked_at;
  Gauge& build_seconds;
};

struct SegmentEngine::State {
  explicit State(const Parts& parts_in) : parts(parts_in), metrics(parts_in.metrics) {}

  // What is being built: the memberships of the stale segments, by place in the list.
  struct Build {
    std::vector<std::size_t> stale;
    std::map<std::size_t, Membership> members;
    absl::flat_hash_set<UserNumber> looked_at;  // after they changed: what the walk has is older
    Membership people;                          // who was walked past
    std::size_t walked = 0;
  };

  void run();
  bool step();
  bool adopt();
  absl::Status refresh_scores(TimeMs month_ms);
  absl::Status build();
  void build_one(Build& build, UserNumber user, const profiles::Profile& profile,
                 const Surroundings& around);
  void publish(Build& build);
  bool work_off(Build* build);
  void look_at(ChangedPeople::Changed changed, Build* build, const Surroundings& around);
  void find_verdicts(const PersonSubject& person, expressions::EventTypes types);
  void keep_sample(UserNumber user, std::shared_ptr<const profiles::Profile> profile);
  void tell_metrics(TimeMs now_ms);

  using Sampled = std::vector<std::pair<UserNumber, std::shared_ptr<const profiles::Profile>>>;
  Sampled sampled() const;
  Surroundings surroundings(std::shared_ptr<const SegmentPrograms> asked) const;
  // FailedPrecondition: an expression that asks for a segment there is not.
  absl::StatusOr<Surroundings> surroundings_of(const expressions::Program& program) const;
  // For what takes seconds in a large shop; ResourceExhausted while somebody else does it.
  absl::StatusOr<std::unique_lock<std::mutex>> turn_to_ask_everybody() const;
  // Cancelled when it is time to end.
  absl::Status walk(const std::function<void(UserNumber, const profiles::Profile&)>& visit) const;
  absl::Status ask_everybody(
      const std::function<void(UserNumber, const profiles::Profile&, bool is_visitor)>& ask) const;

  const Parts parts;
  EngineMetrics metrics;

  // The thread's own.
  std::shared_ptr<const SegmentPrograms> programs;  // null before the first step
  std::set<std::string, std::less<>> stale;         // keys to be built
  DueTimes due;
  FirstSeen first_seen;
  std::vector<LiveMembers::Verdict> verdicts;  // on one person, by place in the list
  TimeMs scored_month_ms = 0;
  TimeMs told_ms = 0;

  MembershipListener* listener = nullptr;  // null: nobody is told
  LiveMembers lives;
  mutable std::shared_mutex mutex;  // guards the two below
  absl::flat_hash_map<UserNumber, std::shared_ptr<const profiles::Profile>> sample;
  RfmBounds rfm;

  mutable std::mutex asking_everybody;  // held by whoever does
  std::atomic<bool> is_ending = false;  // changes under the mutex
  std::mutex ending_mutex;              // guards the one below
  std::condition_variable woken;
  bool is_woken = false;
  std::atomic<std::size_t> walked = 0;  // of a build
  std::thread thread;

  double progress() const {
    const std::size_t people = std::max<std::size_t>(1, parts.profiles.size());
    return std::min(1.0, static_cast<double>(walked) / static_cast<double>(people));
  }
};

}  // namespace vitrine::segments
