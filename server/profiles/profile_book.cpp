#include "server/profiles/profile_book.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <mutex>
#include <tuple>
#include <utility>

#include "server/profiles/fixed_hash.h"

namespace vitrine::profiles {
namespace {

// Newest first; the total order that makes late events end in the same state.
bool is_newer(const ProfileEvent& a, const ProfileEvent& b) {
  return std::tie(a.time_ms, a.event_key, a.product) > std::tie(b.time_ms, b.event_key, b.product);
}

void keep_recent(const ProfileEvent& event, std::vector<ProfileEvent>& recent) {
  const auto place = std::lower_bound(recent.begin(), recent.end(), event, is_newer);
  if (recent.size() == Profile::k_recent_max) {
    if (place == recent.end()) return;
    std::move_backward(place, recent.end() - 1, recent.end());
    *place = event;
    return;
  }
  recent.insert(place, event);
}

Bought& bought_entry(std::vector<Bought>& bought, ProductNumber product) {
  const auto place = std::ranges::lower_bound(bought, product, {}, &Bought::product);
  if (place != bought.end() && place->product == product) return *place;
  return *bought.insert(place, Bought{.product = product});
}

void keep_order(std::uint64_t order_key, Profile& profile) {
  const auto place = std::ranges::lower_bound(profile.order_keys, order_key);
  if (place != profile.order_keys.end() && *place == order_key) return;
  profile.order_keys.insert(place, order_key);
  profile.orders = static_cast<std::uint32_t>(profile.order_keys.size());
}

void see(TimeMs first_ms, TimeMs last_ms, std::uint32_t events, Profile& profile) {
  profile.first_seen_ms =
      profile.events == 0 ? first_ms : std::min(profile.first_seen_ms, first_ms);
  profile.last_seen_ms = profile.events == 0 ? last_ms : std::max(profile.last_seen_ms, last_ms);
  profile.events += events;
}

void add_event(const Event& event, std::string_view source, catalog::ProductNumbers& numbers,
               Profile& profile) {
  see(event.time_ms, event.time_ms, 1, profile);
  if (event.type == EventType::purchase && !event.order_id.empty()) {
    keep_order(fixed_hash(event.order_id), profile);
  }
  if (event.product_id.empty() || event.type == EventType::impression) return;

  const ProductNumber product = numbers.number_of(event.product_id);
  keep_recent({.time_ms = event.time_ms,
               .event_key = fixed_hash(source, event.event_id),
               .session_key = session_key_of(event.session_id),
               .product = product,
               .type = event.type},
              profile.recent);
  if (event.type == EventType::purchase) {
    Bought& entry = bought_entry(profile.bought, product);
    ++entry.purchases;
    entry.last_ms = std::max(entry.last_ms, event.time_ms);
  } else if (event.type == EventType::refund) {
    ++bought_entry(profile.bought, product).refunds;
  }
}

// What a visitor did becomes part of the user it turned out to be.
void merge(const Profile& visitor, Profile& user) {
  see(visitor.first_seen_ms, visitor.last_seen_ms, visitor.events, user);
  for (const ProfileEvent& event : visitor.recent) keep_recent(event, user.recent);
  for (const Bought& bought : visitor.bought) {
    Bought& entry = bought_entry(user.bought, bought.product);
    entry.purchases += bought.purchases;
    entry.refunds += bought.refunds;
    entry.last_ms = std::max(entry.last_ms, bought.last_ms);
  }
  for (const std::uint64_t order_key : visitor.order_keys) keep_order(order_key, user);
}

// Written in place until somebody has it in their hands, copied then.
struct Slot {
  std::shared_ptr<Profile> profile = std::make_shared<Profile>();
  bool is_handed_out = false;

  Profile& writable() {
    if (is_handed_out) profile = std::make_shared<Profile>(*profile);
    is_handed_out = false;
    return *profile;
  }
};

struct Shard {
  std::mutex mutex;
  absl::flat_hash_map<std::uint32_t, Slot> slots;  // by user number
};

}  // namespace

std::uint64_t session_key_of(std::string_view session_id) {
  return session_id.empty() ? 0 : std::max<std::uint64_t>(1, fixed_hash(session_id));
}

struct ProfileBook::State {
  explicit State(catalog::ProductNumbers& numbers_in) : numbers(numbers_in) {}

  Shard& shard_of(UserNumber user) { return shards[user.value() % shards.size()]; }
  void take_over(UserNumber visitor, UserNumber user);

  catalog::ProductNumbers& numbers;
  std::array<Shard, 64> shards;
  std::atomic<std::size_t> size{0};
  std::atomic<Position> position{0};
};

ProfileBook::ProfileBook(catalog::ProductNumbers& numbers)
    : state_(std::make_unique<State>(numbers)) {}
ProfileBook::~ProfileBook() = default;

std::shared_ptr<const Profile> ProfileBook::find(UserNumber user) const {
  Shard& shard = state_->shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.slots.find(user.value());
  if (found == shard.slots.end()) return nullptr;
  found->second.is_handed_out = true;
  return found->second.profile;
}

std::size_t ProfileBook::size() const { return state_->size.load(); }
Position ProfileBook::position() const { return state_->position.load(); }

void ProfileBook::State::take_over(UserNumber visitor, UserNumber user) {
  std::shared_ptr<const Profile> moved;
  {
    Shard& shard = shard_of(visitor);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.slots.find(visitor.value());
    if (found == shard.slots.end()) return;
    moved = found->second.profile;
    shard.slots.erase(found);
  }
  --size;
  Shard& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto [slot, is_new] = shard.slots.try_emplace(user.value());
  merge(*moved, slot->second.writable());
  if (is_new) ++size;
}

void ProfileBook::apply(const LogEntry& entry) {
  if (entry.position <= state_->position.load()) return;
  if (const VisitorLink* const link = entry.link()) {
    if (link->from_user == link->visitor && link->to_user != link->visitor) {
      state_->take_over(link->visitor, link->to_user);
    }
  } else if (entry.user != k_nobody) {
    Shard& shard = state_->shard_of(entry.user);
    const std::lock_guard lock(shard.mutex);
    const auto [slot, is_new] = shard.slots.try_emplace(entry.user.value());
    add_event(*entry.event(), entry.source, state_->numbers, slot->second.writable());
    if (is_new) ++state_->size;
  }
  state_->position.store(entry.position);
}

}  // namespace vitrine::profiles
