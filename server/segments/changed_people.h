// Whose history changed since somebody last asked: what follows people works that off behind the
// log.
//
// A projection that only takes note, so that it costs the committer next to nothing; it stands
// behind the profiles in the list of projections, so that they know what it tells. Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "base/inheriting_mutex.h"
#include "server/events/projection.h"
#include "server/expressions/schema.h"

namespace vitrine::segments {

class ChangedPeople final : public events::Projection {
 public:
  // From here on people are noted; before, a replay would note everybody. `wake` is called, on the
  // committer thread, when there was nobody and now there is.
  void begin(std::function<void()> wake);
  // `types`: what happened; all where it is no event of theirs.
  void note(UserNumber user, TimeMs committed_ms,
            expressions::EventTypes types = expressions::k_all_event_types);

  struct Changed {
    UserNumber user;
    expressions::EventTypes types;
  };
  struct Taken {
    std::vector<Changed> people;
    TimeMs since_ms = 0;  // when the first of these changes was committed; 0: there are none
  };
  Taken take();
  std::size_t size() const;

  std::string_view name() const override { return "changed_people"; }
  void apply(const LogEntry& entry) override;
  Position position() const override { return position_; }
  // Nothing is kept: after a start everybody is looked at.
  std::string checkpoint() const override { return "1"; }
  absl::Status restore(std::string_view checkpoint, Position at) override;

 private:
  mutable InheritingMutex mutex_;  // guards the four below
  absl::flat_hash_map<UserNumber, expressions::EventTypes> users_;
  TimeMs since_ms_ = 0;
  bool is_noting_ = false;
  std::function<void()> wake_;
  std::atomic<Position> position_ = 0;
};

}  // namespace vitrine::segments
