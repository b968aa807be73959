#include "server/segments/segment_engine.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "base/status.h"
#include "server/events/commit_scheduling.h"
#include "server/segments/due_times.h"
#include "server/segments/live_members.h"

namespace vitrine::segments {
namespace {

using expressions::k_never_ms;
using expressions::Program;
using profiles::Profile;
using Verdict = LiveMembers::Verdict;

// Between two rounds, so that several events of one person are one look at them.
constexpr auto k_rest = std::chrono::milliseconds(20);
// A time that comes by itself is met within this.
constexpr auto k_nap = std::chrono::milliseconds(250);
// Between two looks at how much memory is taken.
constexpr TimeMs k_told_every_ms = 1000;
// While all people are walked through, those that change are looked at as often.
constexpr std::size_t k_walked_between = 512;

TimeMs month_of(TimeMs now_ms) {
  const std::string month = format_time(now_ms).substr(0, 7);  // 2026-11
  return parse_time(month + "-01").value_or(0);
}

std::vector<profiles::OrderSum> orders_before(const Profile& profile, TimeMs time_ms) {
  std::vector<profiles::OrderSum> orders = profiles::orders_of(profile);
  std::erase_if(orders, [&](const auto& order) { return order.time_ms >= time_ms; });
  return orders;
}

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

}  // namespace

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
  void build_one(Build& build, UserNumber user, const Profile& profile, const Surroundings& around);
  void publish(Build& build);
  bool work_off(Build* build);
  void look_at(ChangedPeople::Changed changed, Build* build, const Surroundings& around);
  std::vector<Verdict> verdicts_on(const PersonSubject& person, expressions::EventTypes types);
  void keep_sample(UserNumber user, std::shared_ptr<const Profile> profile);
  void tell_metrics(TimeMs now_ms);

  using Sampled = std::vector<std::pair<UserNumber, std::shared_ptr<const Profile>>>;
  Sampled sampled() const;
  Surroundings surroundings(std::shared_ptr<const SegmentPrograms> asked) const;
  // FailedPrecondition: an expression that asks for a segment there is not.
  absl::StatusOr<Surroundings> surroundings_of(const Program& program) const;
  // For what takes seconds in a large shop; ResourceExhausted while somebody else does it.
  absl::StatusOr<std::unique_lock<std::mutex>> turn_to_ask_everybody() const;
  // Cancelled when it is time to end.
  absl::Status walk(const std::function<void(UserNumber, const Profile&)>& visit) const;
  absl::Status ask_everybody(
      const std::function<void(UserNumber, const Profile&, bool is_visitor)>& ask) const;

  const Parts parts;
  EngineMetrics metrics;

  // The thread's own.
  std::shared_ptr<const SegmentPrograms> programs;  // null before the first step
  std::set<std::string, std::less<>> stale;         // keys to be built
  DueTimes due;
  TimeMs scored_month_ms = 0;
  TimeMs told_ms = 0;

  MembershipListener* listener = nullptr;  // null: nobody is told
  LiveMembers lives;
  mutable std::shared_mutex mutex;  // guards the two below
  absl::flat_hash_map<UserNumber, std::shared_ptr<const Profile>> sample;
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

Surroundings SegmentEngine::State::surroundings(
    std::shared_ptr<const SegmentPrograms> asked) const {
  const std::shared_lock lock(mutex);
  return {.catalog = parts.catalog.current(),
          .rfm = rfm,
          .levels = parts.levels,
          .segments = std::move(asked)};
}

absl::StatusOr<Surroundings> SegmentEngine::State::surroundings_of(const Program& program) const {
  std::shared_ptr<const SegmentPrograms> current = parts.store.current();
  VITRINE_RETURN_IF_ERROR(current->check_references(program.segments()));
  return surroundings(std::move(current));
}

SegmentEngine::State::Sampled SegmentEngine::State::sampled() const {
  const std::shared_lock lock(mutex);
  return {sample.begin(), sample.end()};
}

void SegmentEngine::State::run() {
  events::stay_in_the_background();
  while (true) {
    const bool has_worked = step();
    std::unique_lock lock(ending_mutex);
    if (is_ending) return;
    if (has_worked) {
      woken.wait_for(lock, k_rest, [&] { return is_ending.load(); });
    } else {
      woken.wait_for(lock, k_nap, [&] { return is_ending.load() || is_woken; });
    }
    is_woken = false;
  }
}

bool SegmentEngine::State::step() {
  const TimeMs month_ms = month_of(parts.clock.now_ms());
  bool has_worked = adopt();
  if (month_ms != scored_month_ms) {
    const absl::Status scored = refresh_scores(month_ms);
    if (absl::IsCancelled(scored)) return false;
    if (!scored.ok()) {
      parts.log.error("segments: people cannot be scored: {}", message_of(scored));
      return false;
    }
    for (const Segment& segment : programs->list().all()) {
      if (segment.follows_people()) stale.insert(segment.key);
    }
    scored_month_ms = month_ms;
  }
  if (!stale.empty()) {
    has_worked = true;
    const absl::Status built = build();
    if (absl::IsCancelled(built)) return false;
    if (!built.ok()) {
      parts.log.error("segments cannot be built: {}", message_of(built));
      return false;
    }
  }
  return work_off(nullptr) || has_worked;
}

// Takes the segments as they are now; those that changed, and those that ask for them, are stale.
bool SegmentEngine::State::adopt() {
  const std::shared_ptr<const SegmentPrograms> current = parts.store.current();
  if (current == programs) return false;
  std::set<std::string> changed;
  for (const Segment& segment : current->list().all()) {
    const Segment* const before = programs ? programs->list().find(segment.key) : nullptr;
    if (before == nullptr || before->version != segment.version) changed.insert(segment.key);
  }
  if (listener != nullptr) listener->replaced({changed.begin(), changed.end()});
  for (const std::string& key : changed) {
    stale.insert(key);
    for (const std::string& user : current->users_of(key)) stale.insert(user);
  }
  programs = current;
  std::erase_if(stale, [&](const std::string& key) {
    const Segment* const segment = current->list().find(key);
    return segment == nullptr || !segment->follows_people();
  });
  lives.keep_only(current->list());
  return true;
}

// As of the beginning of the month, so that a restart finds the same; a shop that had no buyers
// then is scored by those it has.
absl::Status SegmentEngine::State::refresh_scores(TimeMs month_ms) {
  std::vector<RfmFigures> then;
  std::vector<RfmFigures> now;
  const TimeMs now_ms = parts.clock.now_ms();
  absl::flat_hash_map<UserNumber, std::shared_ptr<const Profile>> sampled;
  VITRINE_RETURN_IF_ERROR(walk([&](UserNumber user, const Profile& profile) {
    if (is_sampled(user)) sampled[user] = std::make_shared<const Profile>(profile);
    if (const auto figures = rfm_figures(orders_before(profile, month_ms), month_ms)) {
      then.push_back(*figures);
    }
    if (const auto figures = rfm_figures(profiles::orders_of(profile), now_ms)) {
      now.push_back(*figures);
    }
  }));
  const RfmBounds bounds = then.empty() ? rfm_bounds(now, now_ms) : rfm_bounds(then, month_ms);
  const std::lock_guard lock(mutex);
  rfm = bounds;
  sample = std::move(sampled);
  return absl::OkStatus();
}

absl::Status SegmentEngine::State::build() {
  Build build;
  walked = 0;
  for (const std::string& key : stale) {
    const Segment* const segment = programs->list().find(key);
    const auto at = static_cast<std::size_t>(segment - programs->list().all().data());
    build.stale.push_back(at);
    build.members.emplace(at, Membership());
  }
  const auto began = std::chrono::steady_clock::now();
  const Surroundings around = surroundings(programs);
  VITRINE_RETURN_IF_ERROR(walk([&](UserNumber user, const Profile& profile) {
    if (++build.walked % k_walked_between == 0) {
      walked = build.walked;
      work_off(&build);
    }
    if (!build.looked_at.contains(user)) build_one(build, user, profile, around);
  }));
  publish(build);
  stale.clear();
  metrics.build_seconds.set(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  return absl::OkStatus();
}

void SegmentEngine::State::build_one(Build& build, UserNumber user, const Profile& profile,
                                     const Surroundings& around) {
  const PersonSubject person(user, !parts.identities.is_user(user), profile, parts.clock.now_ms(),
                             around);
  TimeMs changes_ms = k_never_ms;
  for (const std::size_t at : build.stale) {
    if (programs->holds(at, person, changes_ms)) build.members.at(at).set(user, true);
  }
  build.people.set(user, true);
  if (changes_ms != k_never_ms) due.lower(user, changes_ms);
  metrics.looked_at.add();
}

void SegmentEngine::State::publish(Build& build) {
  const TimeMs now_ms = parts.clock.now_ms();
  for (const UserNumber user : build.looked_at) build.people.set(user, lives.is_known(user));
  lives.know(build.people);
  for (auto& [at, members] : build.members) {
    lives.replace(programs->list().all()[at], std::move(members), now_ms);
  }
  if (listener == nullptr) return;
  std::vector<std::string> keys;
  for (const std::size_t at : build.stale) keys.push_back(programs->list().all()[at].key);
  listener->replaced(std::move(keys));
}

// Those who changed, and those whose time has come.
bool SegmentEngine::State::work_off(Build* build) {
  ChangedPeople::Taken taken = parts.changed.take();
  const TimeMs now_ms = parts.clock.now_ms();
  metrics.lag.set(taken.since_ms == 0
                      ? 0
                      : static_cast<double>(std::max<TimeMs>(0, now_ms - taken.since_ms)) / 1000);
  const std::vector<UserNumber> timely = due.take(now_ms);
  for (const UserNumber user : timely) {
    taken.people.push_back({user, expressions::k_all_event_types});
  }
  const Surroundings around = surroundings(programs);
  for (const ChangedPeople::Changed& changed : taken.people) look_at(changed, build, around);
  lives.are_as_of(now_ms);
  if (listener != nullptr && !taken.people.empty()) {
    std::vector<UserNumber> people;
    people.reserve(taken.people.size());
    for (const ChangedPeople::Changed& changed : taken.people) people.push_back(changed.user);
    listener->looked_at(people);
  }
  if (build == nullptr) tell_metrics(now_ms);
  return !taken.people.empty();
}

// Of the segments that such events can change. When whoever leaves the others is known already.
std::vector<Verdict> SegmentEngine::State::verdicts_on(const PersonSubject& person,
                                                       expressions::EventTypes types) {
  const std::vector<Segment>& all = programs->list().all();
  std::vector<Verdict> verdicts(all.size(), Verdict::unasked);
  TimeMs changes_ms = k_never_ms;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const bool is_open =
        types == expressions::k_all_event_types || (programs->event_types(at) & types) != 0;
    if (!all[at].follows_people() || !is_open) continue;
    verdicts[at] = programs->holds(at, person, changes_ms) ? Verdict::in : Verdict::out;
  }
  if (changes_ms != k_never_ms) due.lower(person.user(), changes_ms);
  return verdicts;
}

void SegmentEngine::State::look_at(ChangedPeople::Changed changed, Build* build,
                                   const Surroundings& around) {
  const UserNumber user = changed.user;
  const std::shared_ptr<const Profile> profile = parts.profiles.find(user);
  if (is_sampled(user)) keep_sample(user, profile);
  if (build != nullptr) build->looked_at.insert(user);
  metrics.looked_at.add();
  std::vector<Verdict> verdicts;
  if (profile == nullptr) {
    verdicts.assign(programs->list().all().size(), Verdict::out);
  } else {
    // Of somebody new, and beside a build, nothing is known yet.
    const bool is_everything_open = build != nullptr || !lives.is_known(user);
    const PersonSubject person(user, !parts.identities.is_user(user), *profile,
                               parts.clock.now_ms(), around);
    verdicts =
        verdicts_on(person, is_everything_open ? expressions::k_all_event_types : changed.types);
  }
  if (build != nullptr) {
    for (auto& [at, members] : build->members) {
      members.set(user, verdicts[at] == Verdict::in);
      verdicts[at] = Verdict::unasked;
    }
  }
  lives.set(programs->list(), user, verdicts, profile != nullptr);
}

void SegmentEngine::State::keep_sample(UserNumber user, std::shared_ptr<const Profile> profile) {
  const std::lock_guard lock(mutex);
  if (profile == nullptr) {
    sample.erase(user);
  } else {
    sample[user] = std::move(profile);
  }
}

// Counting what everything takes costs more than looking at many people.
void SegmentEngine::State::tell_metrics(TimeMs now_ms) {
  if (now_ms < told_ms + k_told_every_ms && now_ms >= told_ms) return;
  told_ms = now_ms;
  metrics.bytes.set(static_cast<double>(lives.bytes()));
  metrics.due_bytes.set(static_cast<double>(due.bytes()));
}

absl::StatusOr<std::unique_lock<std::mutex>> SegmentEngine::State::turn_to_ask_everybody() const {
  std::unique_lock turn(asking_everybody, std::defer_lock);
  if (parts.profiles.size() <= k_exact_up_to) {
    turn.lock();
  } else if (!turn.try_lock()) {
    return overloaded("everybody is being asked already: try again in some seconds");
  }
  return turn;
}

absl::Status SegmentEngine::State::walk(
    const std::function<void(UserNumber, const Profile&)>& visit) const {
  VITRINE_RETURN_IF_ERROR(parts.profiles.walk([&](UserNumber user, const Profile& profile) {
    visit(user, profile);
    return !is_ending.load(std::memory_order_relaxed);
  }));
  return is_ending ? absl::CancelledError("the server stops") : absl::OkStatus();
}

absl::Status SegmentEngine::State::ask_everybody(
    const std::function<void(UserNumber, const Profile&, bool is_visitor)>& ask) const {
  return walk([&](UserNumber user, const Profile& profile) {
    ask(user, profile, !parts.identities.is_user(user));
  });
}

SegmentEngine::SegmentEngine(const Parts& parts) : state_(std::make_unique<State>(parts)) {}
SegmentEngine::~SegmentEngine() { stop(); }

void SegmentEngine::tell(MembershipListener& listener) { state_->listener = &listener; }

void SegmentEngine::start() {
  state_->parts.changed.begin([this] { wake(); });
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void SegmentEngine::stop() {
  {
    const std::lock_guard lock(state_->ending_mutex);
    state_->is_ending = true;
  }
  state_->woken.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void SegmentEngine::wake() {
  {
    const std::lock_guard lock(state_->ending_mutex);
    state_->is_woken = true;
  }
  state_->woken.notify_all();
}

bool SegmentEngine::step() { return state_->step(); }

absl::StatusOr<RfmView> SegmentEngine::rfm_view(TimeMs as_of_ms, TimeMs compared_to_ms) const {
  VITRINE_ASSIGN_OR_RETURN(const auto turn, state_->turn_to_ask_everybody());
  return segments::rfm_view(state_->parts.profiles, state_->parts.identities, as_of_ms,
                            compared_to_ms);
}

std::optional<SegmentEngine::Status> SegmentEngine::status(std::string_view key) const {
  const std::shared_ptr<const SegmentPrograms> programs = state_->parts.store.current();
  const Segment* const segment = programs->list().find(key);
  if (segment == nullptr) return std::nullopt;
  if (const auto members = state_->parts.store.members(key)) {
    return Status{.is_built = true,
                  .size = members->size(),
                  .size_at_ms = state_->parts.clock.now_ms(),
                  .bytes = members->bytes(),
                  .progress = 1};
  }
  const auto facts = state_->lives.facts(key);
  if (!facts) return Status{.progress = state_->progress()};
  const bool is_built = facts->version == segment->version;
  return Status{.is_built = is_built,
                .size = facts->size,
                .size_at_ms = facts->as_of_ms,
                .bytes = facts->bytes,
                .progress = is_built ? 1 : state_->progress()};
}

std::optional<std::size_t> SegmentEngine::size_of_both(std::string_view a,
                                                       std::string_view b) const {
  const SegmentStore& store = state_->parts.store;
  const auto list = store.current();
  if (list->list().find(a) == nullptr || list->list().find(b) == nullptr) return std::nullopt;
  const auto fixed_a = store.members(a);
  const auto fixed_b = store.members(b);
  return state_->lives.size_of_both(a, fixed_a.get(), b, fixed_b.get());
}

std::optional<std::vector<UserNumber>> SegmentEngine::members(std::string_view key,
                                                              UserNumber after,
                                                              std::size_t count_max) const {
  if (const auto fixed = state_->parts.store.members(key)) return fixed->list(after, count_max);
  if (state_->parts.store.current()->list().find(key) == nullptr) return std::nullopt;
  return state_->lives.list(key, after, count_max);
}

std::vector<bool> SegmentEngine::are_members(std::string_view key,
                                             std::span<const UserNumber> people) const {
  const auto fixed = state_->parts.store.members(key);
  return state_->lives.contain(key, fixed.get(), people);
}

Surroundings SegmentEngine::surroundings() const {
  return state_->surroundings(state_->parts.store.current());
}

bool SegmentEngine::holds(std::string_view key, UserNumber user) const {
  const auto programs = state_->parts.store.current();
  const std::shared_ptr<const Profile> profile = state_->parts.profiles.find(user);
  if (profile == nullptr) return state_->parts.store.has(key, user);
  const Surroundings around = state_->surroundings(programs);
  const PersonSubject person(user, !state_->parts.identities.is_user(user), *profile,
                             state_->parts.clock.now_ms(), around);
  TimeMs ignored_ms = k_never_ms;
  return programs->is_in(key, person, ignored_ms).value_or(false);
}

std::vector<std::string> SegmentEngine::segments_of(UserNumber user) const {
  std::vector<std::string> keys;
  const auto programs = state_->parts.store.current();
  const std::vector<Segment>& all = programs->list().all();
  const std::shared_ptr<const Profile> profile = state_->parts.profiles.find(user);
  const Surroundings around = state_->surroundings(programs);
  const Profile nobody;
  const PersonSubject person(user, !state_->parts.identities.is_user(user),
                             profile != nullptr ? *profile : nobody, state_->parts.clock.now_ms(),
                             around);
  TimeMs ignored_ms = k_never_ms;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (profile == nullptr && all[at].follows_people()) continue;
    if (programs->holds(at, person, ignored_ms)) keys.push_back(all[at].key);
  }
  return keys;
}

absl::StatusOr<Preview> SegmentEngine::preview(const Program& program, bool with_visitors) const {
  if (state_->parts.profiles.size() <= k_exact_up_to) {
    return preview_exactly(program, with_visitors);
  }
  VITRINE_ASSIGN_OR_RETURN(const Surroundings around, state_->surroundings_of(program));
  const TimeMs now_ms = state_->parts.clock.now_ms();
  Preview preview{.people = state_->parts.profiles.size()};
  for (const auto& [user, profile] : state_->sampled()) {
    ++preview.asked;
    const bool is_visitor = !state_->parts.identities.is_user(user);
    if (is_visitor && !with_visitors) continue;
    if (program.holds(PersonSubject(user, is_visitor, *profile, now_ms, around), now_ms)) {
      ++preview.matched;
    }
  }
  conclude(preview);
  return preview;
}

absl::StatusOr<Preview> SegmentEngine::preview_exactly(const Program& program,
                                                       bool with_visitors) const {
  VITRINE_ASSIGN_OR_RETURN(const auto turn, state_->turn_to_ask_everybody());
  VITRINE_ASSIGN_OR_RETURN(const Surroundings around, state_->surroundings_of(program));
  const TimeMs now_ms = state_->parts.clock.now_ms();
  Preview preview{.is_exact = true};
  VITRINE_RETURN_IF_ERROR(
      state_->ask_everybody([&](UserNumber user, const Profile& profile, bool is_visitor) {
        ++preview.people;
        if (is_visitor && !with_visitors) return;
        const PersonSubject person(user, is_visitor, profile, now_ms, around);
        if (program.holds(person, now_ms)) ++preview.matched;
      }));
  preview.asked = preview.people;
  conclude(preview);
  return preview;
}

absl::StatusOr<Membership> SegmentEngine::members_now(const Program& program,
                                                      bool with_visitors) const {
  VITRINE_ASSIGN_OR_RETURN(const Surroundings around, state_->surroundings_of(program));
  const TimeMs now_ms = state_->parts.clock.now_ms();
  Membership members;
  VITRINE_RETURN_IF_ERROR(
      state_->ask_everybody([&](UserNumber user, const Profile& profile, bool is_visitor) {
        if (is_visitor && !with_visitors) return;
        const PersonSubject person(user, is_visitor, profile, now_ms, around);
        if (program.holds(person, now_ms)) members.set(user, true);
      }));
  return members;
}

}  // namespace vitrine::segments
