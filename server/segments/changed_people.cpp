#include "server/segments/changed_people.h"

#include <utility>

namespace vitrine::segments {

void ChangedPeople::begin(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  is_noting_ = true;
}

void ChangedPeople::note(UserNumber user, TimeMs committed_ms) {
  if (user == k_nobody) return;
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    if (!is_noting_) return;
    if (users_.empty()) {
      since_ms_ = committed_ms;
      wake = wake_;
    }
    users_.insert(user);
  }
  if (wake) wake();
}

ChangedPeople::Taken ChangedPeople::take() {
  absl::flat_hash_set<UserNumber> users;
  Taken taken;
  {
    const std::lock_guard lock(mutex_);
    users.swap(users_);
    taken.since_ms = std::exchange(since_ms_, 0);
  }
  taken.users.assign(users.begin(), users.end());
  return taken;
}

std::size_t ChangedPeople::size() const {
  const std::lock_guard lock(mutex_);
  return users_.size();
}

void ChangedPeople::apply(const LogEntry& entry) {
  if (entry.position <= position_) return;
  note(entry.user, entry.committed_ms);
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
