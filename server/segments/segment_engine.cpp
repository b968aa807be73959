#include "server/segments/segment_engine.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/segments/segment_engine_state.h"

namespace vitrine::segments {

using expressions::k_never_ms;
using expressions::Program;
using profiles::Profile;

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

absl::StatusOr<std::vector<RfmMonth>> SegmentEngine::rfm_months(TimeMs as_of_ms,
                                                                std::size_t count) const {
  VITRINE_ASSIGN_OR_RETURN(const auto turn, state_->turn_to_ask_everybody());
  return segments::rfm_months(state_->parts.profiles, state_->parts.identities, as_of_ms, count);
}

absl::StatusOr<CohortView> SegmentEngine::cohorts(TimeMs as_of_ms, std::size_t count) const {
  VITRINE_ASSIGN_OR_RETURN(const auto turn, state_->turn_to_ask_everybody());
  return segments::cohorts(state_->parts.profiles, state_->parts.identities, as_of_ms, count);
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
