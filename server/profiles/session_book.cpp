#include "server/profiles/session_book.h"

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/random.h"
#include "model/event.h"
#include "server/profiles/fixed_hash.h"
#include "server/profiles/profile_book.h"
#include "server/profiles/session_memory.h"

namespace vitrine::profiles {
namespace {

struct Click {
  TimeMs time_ms = 0;
  std::uint64_t event_key = 0;  // breaks ties of time
  ProductNumber product;
};

bool is_older(const Click& a, const Click& b) {
  return std::tie(a.time_ms, a.event_key, a.product) < std::tie(b.time_ms, b.event_key, b.product);
}

// What the writer knows about a session beside what readers see.
struct Slot {
  std::uint64_t key = 0;
  std::uint32_t generation = 0;
  bool is_linked = false;     // its products lead to it
  std::vector<Click> clicks;  // oldest first; empty: the slot is free

  TimeMs first_ms() const { return clicks.front().time_ms; }
  TimeMs last_ms() const { return clicks.back().time_ms; }
  bool holds(ProductNumber product) const {
    return std::ranges::find(clicks, product, &Click::product) != clicks.end();
  }
  TimeMs last_ms_of(ProductNumber product) const {
    return std::ranges::find(clicks.rbegin(), clicks.rend(), product, &Click::product)->time_ms;
  }
  bool has_two_products() const {
    return std::ranges::any_of(
        clicks, [&](const Click& click) { return click.product != clicks.front().product; });
  }
};

// By key: where its latest session is.
class SessionKeys {
 public:
  std::optional<SessionRef> find(std::uint64_t key) const {
    const Shard& shard = shards_[key % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.sessions.find(key);
    if (found == shard.sessions.end()) return std::nullopt;
    return found->second;
  }
  void set(std::uint64_t key, SessionRef session) {
    Shard& shard = shards_[key % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    shard.sessions[key] = session;
  }
  // Leaves a later session of the same key.
  void remove(std::uint64_t key, SessionRef session) {
    Shard& shard = shards_[key % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.sessions.find(key);
    if (found != shard.sessions.end() && found->second == session) shard.sessions.erase(found);
  }

 private:
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<std::uint64_t, SessionRef> sessions;
  };
  std::array<Shard, 64> shards_;
};

bool is_click(const Event& event) {
  switch (event.type) {
    case EventType::view:
    case EventType::click:
    case EventType::cart_add:
    case EventType::wish_add:
      return !event.product_id.empty();
    default:
      return false;
  }
}

}  // namespace

std::uint64_t unnamed_session_key(UserNumber person) {
  // Not the key of any session id, but by a chance of one in 2^64.
  return std::max<std::uint64_t>(1, mix64(fixed_hash("person") ^ person.value()));
}

struct SessionBook::State {
  State(catalog::ProductNumbers& numbers_in, const Options& options_in)
      : numbers(numbers_in), options(options_in), lists(options_in.sessions_of_product_max) {}

  void add(std::uint64_t key, bool is_named, const Click& click, TimeMs committed_ms);
  std::uint32_t slot_for(std::uint64_t key, bool is_named, TimeMs time_ms);
  void insert(std::uint32_t number, const Click& click);
  void link(std::uint32_t number);
  void unlink(std::uint32_t number);
  void forget(std::uint32_t number);
  void forget_old();
  SessionRef ref(std::uint32_t number) const { return {number, slots[number].generation}; }
  template <class Visit>
  void for_each_product(const Slot& slot, Visit&& visit) const;

  catalog::ProductNumbers& numbers;
  const Options options;
  std::atomic<Position> position{0};
  std::atomic<std::size_t> linked{0};

  SessionKeys keys;
  SessionClicks clicks;
  SessionsOfProducts lists;

  // The committer thread's own.
  static constexpr std::uint32_t k_no_slot = 0xFFFFFFFF;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> free_slots;
  absl::btree_set<std::tuple<TimeMs, std::uint64_t, std::uint32_t>> by_age;  // last_ms, key, slot
  TimeMs newest_ms = 0;
};

// Each once.
template <class Visit>
void SessionBook::State::for_each_product(const Slot& slot, Visit&& visit) const {
  for (auto click = slot.clicks.begin(); click != slot.clicks.end(); ++click) {
    if (std::find_if(slot.clicks.begin(), click, [&](const Click& other) {
          return other.product == click->product;
        }) == click) {
      visit(click->product);
    }
  }
}

void SessionBook::State::link(std::uint32_t number) {
  Slot& slot = slots[number];
  for_each_product(slot, [&](ProductNumber product) {
    lists.put(product, {.session = ref(number), .time_ms = slot.last_ms_of(product)}, true);
  });
  slot.is_linked = true;
  ++linked;
}

void SessionBook::State::unlink(std::uint32_t number) {
  Slot& slot = slots[number];
  for_each_product(slot, [&](ProductNumber product) { lists.remove(product, number); });
  slot.is_linked = false;
  --linked;
}

void SessionBook::State::forget(std::uint32_t number) {
  Slot& slot = slots[number];
  if (slot.is_linked) unlink(number);
  keys.remove(slot.key, ref(number));
  by_age.erase({slot.last_ms(), slot.key, number});
  clicks.clear(number);
  slot = {.key = 0, .generation = slot.generation + 1, .is_linked = false, .clicks = {}};
  free_slots.push_back(number);
}

void SessionBook::State::forget_old() {
  while (!by_age.empty() && (by_age.size() > options.sessions_max ||
                             std::get<0>(*by_age.begin()) < newest_ms - options.age_ms_max)) {
    forget(std::get<2>(*by_age.begin()));
  }
}

// Where the click belongs; a new slot when it begins a session, none when it comes too late for an
// unnamed one.
std::uint32_t SessionBook::State::slot_for(std::uint64_t key, bool is_named, TimeMs time_ms) {
  if (const auto known = keys.find(key)) {
    const Slot& slot = slots[known->slot];
    if (is_named) return known->slot;
    if (time_ms < slot.first_ms() - k_session_gap_ms) return k_no_slot;
    if (time_ms <= slot.last_ms() + k_session_gap_ms) return known->slot;
  }
  std::uint32_t number = static_cast<std::uint32_t>(slots.size());
  if (free_slots.empty()) {
    slots.emplace_back();
  } else {
    number = free_slots.back();
    free_slots.pop_back();
  }
  slots[number].key = key;
  keys.set(key, ref(number));
  return number;
}

void SessionBook::State::insert(std::uint32_t number, const Click& click) {
  Slot& slot = slots[number];
  if (!slot.clicks.empty()) by_age.erase({slot.last_ms(), slot.key, number});
  const bool is_known = slot.holds(click.product);
  slot.clicks.insert(std::ranges::upper_bound(slot.clicks, click, is_older), click);
  std::optional<ProductNumber> dropped;
  if (slot.clicks.size() > k_clicks_max) {
    dropped = slot.clicks.front().product;
    slot.clicks.erase(slot.clicks.begin());
  }
  by_age.insert({slot.last_ms(), slot.key, number});

  std::array<ProductNumber, k_clicks_max> products;
  std::ranges::transform(slot.clicks, products.begin(), &Click::product);
  clicks.write(ref(number), std::span(products).first(slot.clicks.size()), slot.last_ms());

  const bool was_linked = slot.is_linked && dropped && (is_known || *dropped != click.product);
  if (was_linked && !slot.holds(*dropped)) lists.remove(*dropped, number);
  if (!slot.is_linked) {
    if (slot.has_two_products()) link(number);
  } else if (!slot.has_two_products()) {
    unlink(number);
  } else if (slot.holds(click.product)) {
    lists.put(click.product, {.session = ref(number), .time_ms = slot.last_ms_of(click.product)},
              !is_known);
  }
}

void SessionBook::State::add(std::uint64_t key, bool is_named, const Click& click,
                             TimeMs committed_ms) {
  // An imported date far in the future must not make everything else look old.
  newest_ms = std::max(newest_ms, std::min(click.time_ms, committed_ms));
  if (click.time_ms < newest_ms - options.age_ms_max) return;
  const std::uint32_t number = slot_for(key, is_named, click.time_ms);
  if (number == k_no_slot) return;
  insert(number, click);
  forget_old();
}

SessionBook::SessionBook(catalog::ProductNumbers& numbers, const Options& options)
    : state_(std::make_unique<State>(numbers, options)) {}
SessionBook::~SessionBook() = default;

std::optional<SessionRef> SessionBook::find(std::uint64_t session_key) const {
  return state_->keys.find(session_key);
}
bool SessionBook::read(SessionRef session, Session& out) const {
  return state_->clicks.read(session, out);
}
void SessionBook::sessions_of(ProductNumber product, std::size_t limit,
                              std::vector<SessionOfProduct>& out) const {
  state_->lists.newest(product, limit, out);
}
std::size_t SessionBook::session_count_of(ProductNumber product) const {
  return state_->lists.count(product);
}
std::size_t SessionBook::size() const { return state_->linked.load(); }
Position SessionBook::position() const { return state_->position.load(); }

void SessionBook::apply(const LogEntry& entry) {
  if (entry.position <= state_->position.load()) return;
  const Event* const event = entry.event();
  if (event != nullptr && is_click(*event)) {
    const UserNumber person = entry.visitor != k_nobody ? entry.visitor : entry.user;
    const bool is_named = !event->session_id.empty();
    if (is_named || person != k_nobody) {
      state_->add(is_named ? session_key_of(event->session_id) : unnamed_session_key(person),
                  is_named,
                  {.time_ms = event->time_ms,
                   .event_key = fixed_hash(entry.source, event->event_id),
                   .product = state_->numbers.number_of(event->product_id)},
                  entry.committed_ms);
    }
  }
  state_->position.store(entry.position);
}

}  // namespace vitrine::profiles
