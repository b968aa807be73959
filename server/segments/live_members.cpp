#include "server/segments/live_members.h"

#include <mutex>
#include <utility>

namespace vitrine::segments {

void LiveMembers::keep_only(const SegmentList& list) {
  const std::lock_guard lock(mutex_);
  places_of_ = nullptr;
  std::erase_if(lives_, [&](const auto& live) {
    const Segment* const segment = list.find(live.first);
    const bool is_gone = segment == nullptr || !segment->follows_people();
    if (is_gone) rows_.give_back(live.second.column);
    return is_gone;
  });
}

void LiveMembers::replace(const Segment& segment, Membership members, TimeMs as_of_ms) {
  members.shrink();
  const std::lock_guard lock(mutex_);
  places_of_ = nullptr;
  const auto [live, is_new] = lives_.try_emplace(segment.key);
  if (is_new) live->second.column = rows_.add();
  rows_.fill(live->second.column, members);
  live->second.version = segment.version;
  live->second.members = std::move(members);
  as_of_ms_ = as_of_ms;
}

void LiveMembers::find_places(const SegmentList& list) {
  places_.clear();
  for (const Segment& segment : list.all()) {
    const auto live = lives_.find(segment.key);
    places_.push_back(live == lives_.end() ? nullptr : &live->second);
  }
  places_of_ = &list;
}

void LiveMembers::set(const SegmentList& list, UserNumber user, std::span<const Verdict> verdicts,
                      bool is_somebody) {
  const std::lock_guard lock(mutex_);
  if (places_of_ != &list) find_places(list);
  rows_.set(user, known_, is_somebody);
  for (std::size_t at = 0; at < verdicts.size(); ++at) {
    if (verdicts[at] == Verdict::unasked || places_[at] == nullptr) continue;
    const bool is_in = verdicts[at] == Verdict::in;
    if (rows_.set(user, places_[at]->column, is_in)) places_[at]->members.set(user, is_in);
  }
}

void LiveMembers::know(const Membership& people) {
  const std::lock_guard lock(mutex_);
  rows_.fill(known_, people);
}

bool LiveMembers::is_known(UserNumber user) const {
  const std::shared_lock lock(mutex_);
  return rows_.has(user, known_);
}

void LiveMembers::are_as_of(TimeMs time_ms) {
  const std::lock_guard lock(mutex_);
  as_of_ms_ = time_ms;
}

std::optional<LiveMembers::Facts> LiveMembers::facts(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto live = lives_.find(key);
  if (live == lives_.end()) return std::nullopt;
  return Facts{.version = live->second.version,
               .size = live->second.members.size(),
               .bytes = live->second.members.bytes() + rows_.column_bytes(),
               .as_of_ms = as_of_ms_};
}

std::size_t LiveMembers::bytes() const {
  const std::shared_lock lock(mutex_);
  std::size_t bytes = rows_.bytes();
  for (const auto& [key, live] : lives_) bytes += live.members.bytes();
  return bytes;
}

const Membership& LiveMembers::of(std::string_view key, const Membership* fixed) const {
  if (fixed != nullptr) return *fixed;
  const auto live = lives_.find(key);
  return live == lives_.end() ? nobody_ : live->second.members;
}

std::vector<UserNumber> LiveMembers::list(std::string_view key, UserNumber after,
                                          std::size_t count_max) const {
  const std::shared_lock lock(mutex_);
  return of(key, nullptr).list(after, count_max);
}

std::vector<bool> LiveMembers::contain(std::string_view key, const Membership* fixed,
                                       std::span<const UserNumber> people) const {
  const std::shared_lock lock(mutex_);
  const Membership& members = of(key, fixed);
  std::vector<bool> are_in(people.size());
  for (std::size_t i = 0; i < people.size(); ++i) are_in[i] = members.contains(people[i]);
  return are_in;
}

std::size_t LiveMembers::size_of_both(std::string_view a, const Membership* fixed_a,
                                      std::string_view b, const Membership* fixed_b) const {
  const std::shared_lock lock(mutex_);
  return of(a, fixed_a).size_of_both(of(b, fixed_b));
}

}  // namespace vitrine::segments
