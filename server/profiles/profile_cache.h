// Profiles in memory before those in the checkpoint: a bounded cache that never drops what is not
// durable yet.
//
// What changed since the last checkpoint is a Profile, written in place until somebody has it in
// their hands; what is durable is kept in its stored form, a fraction of that, and goes when there
// is no room. Thread-safe: find() from any thread, change() and begin() from one thread, write()
// and end() from another. A lock of one shard is held for a copy, and by change() while it reads
// the store.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/ids.h"
#include "server/events/checkpoint.h"
#include "server/profiles/profile.h"

namespace vitrine::profiles {

class ProfileCache {
 public:
  // `durable` may be null: everything stays in memory then. It outlives the cache.
  ProfileCache(const events::CheckpointReader* durable, std::size_t bytes_max);
  ~ProfileCache();

  std::shared_ptr<const Profile> find(UserNumber user) const;  // null: nothing is known
  // Lets `edit` change the profile, an empty one for somebody new; whether they were new.
  bool change(UserNumber user, const std::function<void(Profile&)>& edit);
  // Takes the profile out for good; null when there was none.
  std::shared_ptr<const Profile> remove(UserNumber user);

  // A checkpoint, as Projection has it: marks what changed, writes it as it was when it was marked,
  // and makes it droppable or, when it was not durable, part of the next.
  void begin();
  void write(events::CheckpointWriter& out);
  void end(bool is_durable);

  // Everybody once, in no order: not while change() or remove() is called; a checkpoint may go on.
  // `visit` must not call the cache. An error of reading the store.
  absl::Status for_each(const std::function<void(UserNumber, const Profile&)>& visit) const;

  // Everybody, until `visit` returns false, while changes go on: somebody who changes meanwhile is
  // seen as before or after, or, when they are new, perhaps not at all.
  absl::Status walk(const std::function<bool(UserNumber, const Profile&)>& visit) const;

  std::size_t bytes() const;         // in memory
  std::size_t pinned_bytes() const;  // of those, what waits for a checkpoint
  std::uint64_t hits() const;
  std::uint64_t misses() const;  // questions that the store was asked

 private:
  struct Shard;
  struct Slot;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::profiles
