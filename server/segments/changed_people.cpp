#include "server/segments/changed_people.h"

#include <utility>

namespace vitrine::segments {

void ChangedPeople::begin(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  is_noting_ = true;
}

void ChangedPeople::note(UserNumber user, TimeMs committed_ms, expressions::EventTypes types) {
  if (user == k_nobody) return;
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    if (!is_noting_) return;
    if (users_.empty()) {
      since_ms_ = committed_ms;
      wake = wake_;
    }
    users_[user] |= types;
  }
  if (wake) wake();
}

ChangedPeople::Taken ChangedPeople::take() {
  absl::flat_hash_map<UserNumber, expressions::EventTypes> users;
  Taken taken;
  {
    const std::lock_guard lock(mutex_);
    users.swap(users_);
    taken.since_ms = std::exchange(since_ms_, 0);
  }
  taken.people.reserve(users.size());
  for (const auto& [user, types] : users) taken.people.push_back({user, types});
  return taken;
}

std::size_t ChangedPeople::size() const {
  const std::lock_guard lock(mutex_);
  return users_.size();
}

void ChangedPeople::apply(const LogEntry& entry) {
  if (entry.position <= position_) return;
  const Event* const event = entry.event();
  note(entry.user, entry.committed_ms,
       event != nullptr ? expressions::of_type(event->type) : expressions::k_all_event_types);
  if (const VisitorLink* const link = entry.link()) {
    note(link->visitor, entry.committed_ms);
    note(link->from_user, entry.committed_ms);
    note(link->to_user, entry.committed_ms);
  }
  if (const Erasure* const erasure = entry.erasure()) {
    for (const UserNumber user : erasure->people) note(user, entry.committed_ms);
  }
  position_ = entry.position;
}

absl::Status ChangedPeople::restore(std::string_view checkpoint, Position at) {
  if (checkpoint != "1") return absl::UnimplementedError("another form of changed people");
  position_ = at;
  return absl::OkStatus();
}

}  // namespace vitrine::segments
