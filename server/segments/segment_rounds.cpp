// The segments' own thread: who changed is looked at again, and what is stale is built beside it.
#include <chrono>

#include "base/status.h"
#include "server/events/commit_scheduling.h"
#include "server/segments/segment_engine_state.h"

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

}  // namespace

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
  first_seen.set_if_untold(user, profile.first_seen_ms);
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
void SegmentEngine::State::find_verdicts(const PersonSubject& person,
                                         expressions::EventTypes types) {
  const std::vector<Segment>& all = programs->list().all();
  verdicts.assign(all.size(), Verdict::unasked);
  TimeMs changes_ms = k_never_ms;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const bool is_open =
        types == expressions::k_all_event_types || (programs->event_types(at) & types) != 0;
    if (!all[at].follows_people() || !is_open) continue;
    verdicts[at] = programs->holds(at, person, changes_ms) ? Verdict::in : Verdict::out;
  }
  if (changes_ms != k_never_ms) due.lower(person.user(), changes_ms);
}

void SegmentEngine::State::look_at(ChangedPeople::Changed changed, Build* build,
                                   const Surroundings& around) {
  const UserNumber user = changed.user;
  const std::shared_ptr<const Profile> profile = parts.profiles.find(user);
  if (is_sampled(user)) keep_sample(user, profile);
  if (build != nullptr) build->looked_at.insert(user);
  metrics.looked_at.add();
  if (profile == nullptr) {
    verdicts.assign(programs->list().all().size(), Verdict::out);
  } else {
    // Of somebody new, and beside a build, nothing is known yet.
    const bool has_moved = first_seen.set(user, profile->first_seen_ms);
    if (has_moved) changed.types |= k_first_seen_moved;
    const bool is_everything_open = build != nullptr || !lives.is_known(user);
    const PersonSubject person(user, !parts.identities.is_user(user), *profile,
                               parts.clock.now_ms(), around);
    find_verdicts(person, is_everything_open ? expressions::k_all_event_types : changed.types);
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
  metrics.due_bytes.set(static_cast<double>(due.bytes() + first_seen.bytes()));
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

}  // namespace vitrine::segments
