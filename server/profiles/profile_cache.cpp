#include "server/profiles/profile_cache.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/inheriting_mutex.h"
#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::profiles {
namespace {

constexpr std::size_t k_shards = 64;
// The slot's own place in the table and about what the allocator adds to its one or two pieces.
constexpr std::size_t k_slot_overhead_bytes = 64;

std::string key_of(std::uint32_t user) { return store::key_of(user); }

// What is in the checkpoint was written by this program and is read through checksums.
Profile decoded(std::string_view record) {
  absl::StatusOr<Profile> profile = decode_profile(record);
  CHECK(profile.ok(), "a profile in the checkpoint can be read");
  return *std::move(profile);
}

}  // namespace

// Either a profile, or its stored form, or the knowledge that there is none any more.
struct ProfileCache::Slot {
  std::uint32_t user = 0;
  bool is_handed_out = false;    // somebody else may hold `profile`
  bool is_used = false;          // since the sweep last came by
  std::uint32_t changed_in = 0;  // the epoch in which it last changed; 0: it is durable as it is
  std::shared_ptr<Profile> profile;
  std::string record;

  bool is_gone() const { return profile == nullptr && record.empty(); }
  std::size_t bytes() const {
    return sizeof(Slot) + k_slot_overhead_bytes + record.capacity() +
           (profile == nullptr ? 0 : bytes_of(*profile));
  }
};

struct ProfileCache::Shard {
  Slot* find(std::uint32_t user) {
    const auto found = places.find(user);
    return found == places.end() ? nullptr : &slots[found->second];
  }
  Slot& add(std::uint32_t user) {
    places.emplace(user, static_cast<std::uint32_t>(slots.size()));
    slots.push_back({});
    slots.back().user = user;
    return slots.back();
  }
  void drop(std::size_t place) {
    bytes -= slots[place].bytes();
    places.erase(slots[place].user);
    if (place + 1 < slots.size()) {
      slots[place] = std::move(slots.back());
      places[slots[place].user] = static_cast<std::uint32_t>(place);
    }
    slots.pop_back();
  }
  void make_room(std::size_t bytes_max);

  InheritingMutex mutex;  // guards all below, but `marked`
  std::vector<Slot> slots;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> places;  // user -> slot
  std::size_t bytes = 0;
  std::size_t hand = 0;              // of the sweep
  std::uint64_t ends = 0;            // checkpoints that became durable
  std::vector<std::uint32_t> dirty;  // changed since begin()
  // As of begin(), of those that changed again before they were written; null: gone.
  absl::flat_hash_map<std::uint32_t, std::shared_ptr<const Profile>> frozen;
  // Changed before begin(). Between begin() and end() the checkpoint thread's own.
  std::vector<std::uint32_t> marked;
};

// A hand goes round: what was used since it last came by stays once more. A few steps at a time, so
// that a shard full of what must stay is not walked at every miss.
void ProfileCache::Shard::make_room(std::size_t bytes_max) {
  constexpr int k_steps_max = 32;
  for (int step = 0; step < k_steps_max && bytes > bytes_max && !slots.empty(); ++step) {
    if (hand >= slots.size()) hand = 0;
    Slot& slot = slots[hand];
    if (slot.changed_in != 0 || std::exchange(slot.is_used, false)) {
      ++hand;
    } else {
      drop(hand);
    }
  }
}

struct ProfileCache::State {
  State(const events::CheckpointReader* durable_in, std::size_t bytes_max)
      : durable(durable_in), shard_bytes_max(bytes_max / k_shards) {}

  Shard& shard_of(UserNumber user) { return shards[user.value() % k_shards]; }
  absl::StatusOr<std::optional<std::string>> read(std::uint32_t user) const;
  Slot* load(Shard& shard, std::uint32_t user);
  void mark_changed(Shard& shard, Slot& slot);
  void write_one(std::uint32_t user, events::CheckpointWriter& out);
  void settle(Shard& shard, std::uint32_t user, bool is_durable);

  const events::CheckpointReader* const durable;
  const std::size_t shard_bytes_max;
  std::array<Shard, k_shards> shards;
  std::atomic<std::uint32_t> epoch =
      2;  // of the changes now; the marked ones are of the one before
  std::atomic<bool> is_writing = false;  // between begin() and end()
  std::atomic<std::int64_t> pinned = 0;  // about; set right after every checkpoint
  mutable std::atomic<std::uint64_t> hits = 0;
  mutable std::atomic<std::uint64_t> misses = 0;
};

absl::StatusOr<std::optional<std::string>> ProfileCache::State::read(std::uint32_t user) const {
  if (durable == nullptr) return std::nullopt;
  misses.fetch_add(1, std::memory_order_relaxed);
  return durable->get(key_of(user));
}

// The slot, filled from the store when it must; null when there is no such person. Under the lock.
ProfileCache::Slot* ProfileCache::State::load(Shard& shard, std::uint32_t user) {
  if (Slot* const slot = shard.find(user)) return slot->is_gone() ? nullptr : slot;
  absl::StatusOr<std::optional<std::string>> record = read(user);
  // Going on without what the person did before would make that durable.
  CHECK(record.ok(), "the checkpoint can be read");
  if (!record->has_value()) return nullptr;
  Slot& slot = shard.add(user);
  slot.record = **std::move(record);
  shard.bytes += slot.bytes();
  return &slot;
}

// Before the slot changes, under the lock: what a checkpoint in progress has yet to write is put
// aside.
void ProfileCache::State::mark_changed(Shard& shard, Slot& slot) {
  const std::uint32_t now = epoch.load();
  if (slot.changed_in == now) return;
  if (is_writing.load() && slot.changed_in != 0) {
    slot.is_handed_out = true;
    shard.frozen.try_emplace(slot.user, slot.profile != nullptr || slot.record.empty()
                                            ? slot.profile
                                            : std::make_shared<Profile>(decoded(slot.record)));
  }
  slot.changed_in = now;
  if (durable != nullptr) shard.dirty.push_back(slot.user);
}

ProfileCache::ProfileCache(const events::CheckpointReader* durable, std::size_t bytes_max)
    : state_(std::make_unique<State>(durable, bytes_max)) {}
ProfileCache::~ProfileCache() = default;

std::shared_ptr<const Profile> ProfileCache::find(UserNumber user) const {
  Shard& shard = state_->shard_of(user);
  std::string record;
  std::uint64_t ends = 0;
  {
    const std::lock_guard lock(shard.mutex);
    ends = shard.ends;
    if (Slot* const slot = shard.find(user.value())) {
      state_->hits.fetch_add(1, std::memory_order_relaxed);
      slot->is_used = true;
      if (slot->profile != nullptr) {
        slot->is_handed_out = true;
        return slot->profile;
      }
      if (slot->is_gone()) return nullptr;
      record = slot->record;
    }
  }
  if (!record.empty()) return std::make_shared<const Profile>(decoded(record));
  absl::StatusOr<std::optional<std::string>> stored = state_->read(user.value());
  if (!stored.ok() || !stored->has_value()) return nullptr;  // a shopper is answered as a new one
  auto profile = std::make_shared<const Profile>(decoded(**stored));
  const std::lock_guard lock(shard.mutex);
  // After another checkpoint the record may be an old one.
  if (shard.ends == ends && shard.find(user.value()) == nullptr) {
    Slot& slot = shard.add(user.value());
    slot.record = **std::move(stored);
    shard.bytes += slot.bytes();
    shard.make_room(state_->shard_bytes_max);
  }
  return profile;
}

bool ProfileCache::change(UserNumber user, const std::function<void(Profile&)>& edit) {
  Shard& shard = state_->shard_of(user);
  const std::lock_guard lock(shard.mutex);
  Slot* slot = state_->load(shard, user.value());
  const bool is_new = slot == nullptr;
  if (is_new) slot = shard.find(user.value());  // known to be gone
  if (slot == nullptr) {
    slot = &shard.add(user.value());
    shard.bytes += slot->bytes();
  }
  const std::size_t bytes_before = slot->bytes();
  const bool was_pinned = slot->changed_in != 0;
  state_->mark_changed(shard, *slot);
  if (slot->profile == nullptr) {
    slot->profile =
        std::make_shared<Profile>(slot->record.empty() ? Profile{} : decoded(slot->record));
    slot->record = {};
  } else if (slot->is_handed_out) {
    slot->profile = std::make_shared<Profile>(*slot->profile);
  }
  slot->is_handed_out = false;
  slot->is_used = true;
  edit(*slot->profile);
  const std::size_t bytes_now = slot->bytes();
  shard.bytes += bytes_now - bytes_before;
  state_->pinned += static_cast<std::int64_t>(bytes_now) -
                    static_cast<std::int64_t>(was_pinned ? bytes_before : 0);
  if (state_->durable != nullptr) shard.make_room(state_->shard_bytes_max);
  return is_new;
}

std::shared_ptr<const Profile> ProfileCache::remove(UserNumber user) {
  Shard& shard = state_->shard_of(user);
  const std::lock_guard lock(shard.mutex);
  Slot* const slot = state_->load(shard, user.value());
  if (slot == nullptr) return nullptr;
  std::shared_ptr<const Profile> removed = slot->profile;
  if (removed == nullptr) removed = std::make_shared<const Profile>(decoded(slot->record));
  const std::size_t bytes_before = slot->bytes();
  state_->mark_changed(shard, *slot);
  slot->profile = nullptr;
  slot->record = {};
  shard.bytes -= bytes_before - slot->bytes();
  if (state_->durable == nullptr) shard.drop(shard.places.at(user.value()));
  return removed;
}

void ProfileCache::begin() {
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    CHECK(shard.marked.empty(), "one checkpoint at a time");
    shard.marked.swap(shard.dirty);
  }
  ++state_->epoch;
  state_->is_writing = true;
}

void ProfileCache::write(events::CheckpointWriter& out) {
  std::vector<std::uint32_t> users;
  for (const Shard& shard : state_->shards) {
    users.insert(users.end(), shard.marked.begin(), shard.marked.end());
  }
  std::ranges::sort(users);
  for (const std::uint32_t user : users) state_->write_one(user, out);
}

void ProfileCache::State::write_one(std::uint32_t user, events::CheckpointWriter& out) {
  Shard& shard = shard_of(UserNumber(user));
  std::shared_ptr<const Profile> profile;
  std::string record;
  {
    const std::lock_guard lock(shard.mutex);
    if (const auto put_aside = shard.frozen.find(user); put_aside != shard.frozen.end()) {
      profile = put_aside->second;
    } else {
      Slot* const slot = shard.find(user);
      CHECK(slot != nullptr, "what is not durable stays in memory");
      slot->is_handed_out = true;
      profile = slot->profile;
      record = slot->record;
    }
  }
  if (profile != nullptr) record = encode(*profile);
  if (record.empty()) {
    out.erase(key_of(user));
    return;
  }
  out.put(key_of(user), record);
  if (profile == nullptr) return;

  // From here on the stored form will do, unless it has changed again.
  const std::lock_guard lock(shard.mutex);
  Slot* const slot = shard.find(user);
  if (slot->profile != profile || slot->changed_in == epoch.load()) return;
  const std::size_t bytes_before = slot->bytes();
  slot->profile = nullptr;
  slot->record = std::move(record);
  slot->record.shrink_to_fit();
  shard.bytes -= bytes_before - slot->bytes();
}

void ProfileCache::end(bool is_durable) {
  state_->is_writing = false;
  std::size_t pinned = 0;
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    for (const std::uint32_t user : shard.marked) state_->settle(shard, user, is_durable);
    for (const std::uint32_t user : shard.dirty) pinned += shard.find(user)->bytes();
    shard.marked.clear();
    shard.frozen.clear();
    if (is_durable) ++shard.ends;
  }
  state_->pinned = static_cast<std::int64_t>(pinned);
}

void ProfileCache::State::settle(Shard& shard, std::uint32_t user, bool is_durable) {
  Slot* const slot = shard.find(user);
  if (slot->changed_in == epoch.load()) return;  // in the next checkpoint anyway
  if (!is_durable) {
    slot->changed_in = epoch.load();
    shard.dirty.push_back(user);
  } else if (slot->is_gone()) {
    shard.drop(shard.places.at(user));
  } else {
    slot->changed_in = 0;
  }
}

absl::Status ProfileCache::for_each(
    const std::function<void(UserNumber, const Profile&)>& visit) const {
  // A checkpoint may end in between: it turns profiles into their stored form, drops who is gone
  // and moves slots. So a shard is walked under its lock, and who was in memory is remembered.
  absl::flat_hash_set<std::uint32_t> in_memory;
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    for (const Slot& slot : shard.slots) {
      in_memory.insert(slot.user);
      if (slot.is_gone()) continue;
      visit(UserNumber(slot.user), slot.profile ? *slot.profile : decoded(slot.record));
    }
  }
  if (state_->durable == nullptr) return absl::OkStatus();
  return state_->durable->walk({}, [&](std::string_view key, std::string_view record) {
    const std::uint32_t user = store::small_number_in(key).value_or(0);
    if (!in_memory.contains(user)) visit(UserNumber(user), decoded(record));
    return true;
  });
}

// Who is in memory first: what is durable by then is in the checkpoint that is read next.
absl::Status ProfileCache::walk(
    const std::function<bool(UserNumber, const Profile&)>& visit) const {
  absl::flat_hash_set<std::uint32_t> in_memory;
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    for (const Slot& slot : shard.slots) in_memory.insert(slot.user);
  }
  bool goes_on = true;
  if (state_->durable != nullptr) {
    VITRINE_RETURN_IF_ERROR(
        state_->durable->walk({}, [&](std::string_view key, std::string_view record) {
          const std::uint32_t user = store::small_number_in(key).value_or(0);
          if (!in_memory.contains(user)) goes_on = visit(UserNumber(user), decoded(record));
          return goes_on;
        }));
  }
  for (const std::uint32_t user : in_memory) {
    if (!goes_on) break;
    if (const auto profile = find(UserNumber(user))) goes_on = visit(UserNumber(user), *profile);
  }
  return absl::OkStatus();
}

std::size_t ProfileCache::bytes() const {
  std::size_t total = 0;
  for (Shard& shard : state_->shards) {
    const std::lock_guard lock(shard.mutex);
    total += shard.bytes;
  }
  return total;
}

std::size_t ProfileCache::pinned_bytes() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, state_->pinned.load()));
}
std::uint64_t ProfileCache::hits() const { return state_->hits.load(); }
std::uint64_t ProfileCache::misses() const { return state_->misses.load(); }

}  // namespace vitrine::profiles
