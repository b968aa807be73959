#include "server/profiles/session_book.h"

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "model/event.h"
#include "server/profiles/fixed_hash.h"
#include "server/profiles/profile_book.h"
#include "server/profiles/session_memory.h"
#include "server/profiles/session_record.h"
#include "server/store/key.h"

namespace vitrine::profiles {
namespace {

// What the writer knows about a session beside what readers see.
struct Slot {
  std::uint64_t key = 0;
  UserNumber visitor = k_nobody;  // that clicked last, of those who are one
  std::uint32_t generation = 0;
  bool is_linked = false;      // its products lead to it
  bool is_dirty = false;       // differs from the last checkpoint
  bool is_handed_out = false;  // a checkpoint is reading the clicks
  bool is_latest = false;      // of its key: SessionKeys leads to it
  // Oldest first; null: the slot is free.
  std::shared_ptr<std::vector<Click>> shared_clicks;

  const std::vector<Click>& clicks() const { return *shared_clicks; }
  std::vector<Click>& writable_clicks() {
    if (shared_clicks == nullptr) {
      shared_clicks = std::make_shared<std::vector<Click>>();
    } else if (is_handed_out) {
      shared_clicks = std::make_shared<std::vector<Click>>(*shared_clicks);
    }
    is_handed_out = false;
    return *shared_clicks;
  }

  TimeMs first_ms() const { return clicks().front().time_ms; }
  TimeMs last_ms() const { return clicks().back().time_ms; }
  bool holds(ProductNumber product) const {
    return std::ranges::find(clicks(), product, &Click::product) != clicks().end();
  }
  TimeMs last_ms_of(ProductNumber product) const {
    return std::ranges::find(clicks().rbegin(), clicks().rend(), product, &Click::product)->time_ms;
  }
  bool has_two_products() const {
    return std::ranges::any_of(
        clicks(), [&](const Click& click) { return click.product != clicks().front().product; });
  }
};

using NumberedRecord = std::pair<std::uint32_t, SessionRecord>;  // by slot

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
  State(catalog::ProductNumbers& numbers_in, const Options& options_in,
        std::unique_ptr<const events::CheckpointReader> last_checkpoint_in)
      : numbers(numbers_in),
        options(options_in),
        last_checkpoint(std::move(last_checkpoint_in)),
        lists(options_in.sessions_of_product_max) {}

  void add(std::uint64_t key, bool is_named, UserNumber visitor, const Click& click,
           TimeMs committed_ms);
  std::uint32_t slot_for(std::uint64_t key, bool is_named, TimeMs time_ms);
  void show(std::uint32_t number);
  void insert(std::uint32_t number, const Click& click);
  void mark_dirty(std::uint32_t number);
  absl::Status restore_slot(std::string_view key, std::string_view value);
  void link(std::uint32_t number);
  void unlink(std::uint32_t number);
  void forget(std::uint32_t number);
  void forget_old();
  void end_session_of(UserNumber visitor);
  void erase(const Erasure& erasure);
  SessionRef ref(std::uint32_t number) const { return {number, slots[number].generation}; }
  template <class Visit>
  void for_each_product(const Slot& slot, Visit&& visit) const;

  catalog::ProductNumbers& numbers;
  const Options options;
  const std::unique_ptr<const events::CheckpointReader> last_checkpoint;  // null: none is kept
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
  std::vector<std::uint32_t> dirty;

  std::mutex mutex;                    // of what follows
  std::vector<std::uint32_t> written;  // by the checkpoint that is under way, or one that failed
};

// Each once.
template <class Visit>
void SessionBook::State::for_each_product(const Slot& slot, Visit&& visit) const {
  const std::vector<Click>& all = slot.clicks();
  for (auto click = all.begin(); click != all.end(); ++click) {
    const auto first = std::find_if(
        all.begin(), click, [&](const Click& other) { return other.product == click->product; });
    if (first == click) visit(click->product);
  }
}

void SessionBook::State::mark_dirty(std::uint32_t number) {
  if (last_checkpoint == nullptr || std::exchange(slots[number].is_dirty, true)) return;
  dirty.push_back(number);
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
  if (std::exchange(slot.is_latest, false)) keys.remove(slot.key, ref(number));
  by_age.erase({slot.last_ms(), slot.key, number});
  clicks.clear(number);
  ++slot.generation;
  slot.is_handed_out = false;
  slot.shared_clicks = nullptr;
  slot.visitor = k_nobody;
  free_slots.push_back(number);
  mark_dirty(number);
}

void SessionBook::State::forget_old() {
  while (!by_age.empty() && (by_age.size() > options.sessions_max ||
                             std::get<0>(*by_age.begin()) < newest_ms - options.age_ms_max)) {
    forget(std::get<2>(*by_age.begin()));
  }
}

// The session stays in the lists of its products, but its visitor begins another, also under the
// same session id.
void SessionBook::State::end_session_of(UserNumber visitor) {
  // Looks at every session: a device that changes hands is rare.
  const std::uint64_t unnamed = unnamed_session_key(visitor);
  for (std::uint32_t number = 0; number < slots.size(); ++number) {
    Slot& slot = slots[number];
    if (!slot.is_latest || (slot.visitor != visitor && slot.key != unnamed)) continue;
    slot.is_latest = false;
    mark_dirty(number);
    keys.remove(slot.key, ref(number));
  }
}

// Looks at every session: those that a person ended have no other way to them.
void SessionBook::State::erase(const Erasure& erasure) {
  absl::flat_hash_set<std::uint64_t> erased(erasure.sessions.begin(), erasure.sessions.end());
  for (const UserNumber person : erasure.people) erased.insert(unnamed_session_key(person));
  if (erased.empty()) return;
  for (std::uint32_t number = 0; number < slots.size(); ++number) {
    const Slot& slot = slots[number];
    if (slot.shared_clicks != nullptr && erased.contains(slot.key)) forget(number);
  }
}

// Where the click belongs; a new slot when it begins a session, none when it comes too late for an
// unnamed one.
std::uint32_t SessionBook::State::slot_for(std::uint64_t key, bool is_named, TimeMs time_ms) {
  if (const auto known = keys.find(key)) {
    Slot& slot = slots[known->slot];
    if (is_named) return known->slot;
    if (time_ms < slot.first_ms() - k_session_gap_ms) return k_no_slot;
    if (time_ms <= slot.last_ms() + k_session_gap_ms) return known->slot;
    slot.is_latest = false;
    mark_dirty(known->slot);
  }
  std::uint32_t number = static_cast<std::uint32_t>(slots.size());
  if (free_slots.empty()) {
    slots.emplace_back();
  } else {
    number = free_slots.back();
    free_slots.pop_back();
  }
  slots[number].key = key;
  slots[number].is_latest = true;
  keys.set(key, ref(number));
  return number;
}

void SessionBook::State::show(std::uint32_t number) {
  const Slot& slot = slots[number];
  by_age.insert({slot.last_ms(), slot.key, number});
  std::array<ProductNumber, k_clicks_max> products;
  std::ranges::transform(slot.clicks(), products.begin(), &Click::product);
  clicks.write(ref(number), std::span(products).first(slot.clicks().size()), slot.last_ms());
}

void SessionBook::State::insert(std::uint32_t number, const Click& click) {
  Slot& slot = slots[number];
  const bool is_new = slot.shared_clicks == nullptr;
  if (!is_new) by_age.erase({slot.last_ms(), slot.key, number});
  const bool is_known = !is_new && slot.holds(click.product);
  std::vector<Click>& all = slot.writable_clicks();
  all.insert(std::ranges::upper_bound(all, click, is_older), click);
  std::optional<ProductNumber> dropped;
  if (all.size() > k_clicks_max) {
    dropped = all.front().product;
    all.erase(all.begin());
  }
  mark_dirty(number);
  show(number);

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

void SessionBook::State::add(std::uint64_t key, bool is_named, UserNumber visitor,
                             const Click& click, TimeMs committed_ms) {
  // An imported date far in the future must not make everything else look old.
  newest_ms = std::max(newest_ms, std::min(click.time_ms, committed_ms));
  if (click.time_ms < newest_ms - options.age_ms_max) return;
  const std::uint32_t number = slot_for(key, is_named, click.time_ms);
  if (number == k_no_slot) return;
  if (visitor != k_nobody) slots[number].visitor = visitor;
  insert(number, click);
  forget_old();
}

SessionBook::SessionBook(catalog::ProductNumbers& numbers, const Options& options,
                         std::unique_ptr<const events::CheckpointReader> last_checkpoint)
    : state_(std::make_unique<State>(numbers, options, std::move(last_checkpoint))) {}
SessionBook::~SessionBook() = default;

std::optional<SessionRef> SessionBook::find(std::uint64_t session_key) const {
  return state_->keys.find(session_key);
}
bool SessionBook::read(SessionRef session, Session& out) const {
  return state_->clicks.read(session, out);
}
void SessionBook::prefetch(SessionRef session) const { state_->clicks.prefetch(session); }
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
  // Somebody else uses the device from here on.
  if (const VisitorLink* const link = entry.link(); link && link->from_user != link->visitor) {
    state_->end_session_of(link->visitor);
  }
  if (const Erasure* const erasure = entry.erasure()) state_->erase(*erasure);
  const Event* const event = entry.event();
  if (event != nullptr && is_click(*event)) {
    const UserNumber person = entry.visitor != k_nobody ? entry.visitor : entry.user;
    const bool is_named = !event->session_id.empty();
    if (is_named || person != k_nobody) {
      state_->add(is_named ? session_key_of(event->session_id) : unnamed_session_key(person),
                  is_named, entry.visitor,
                  {.time_ms = event->time_ms,
                   .event_key = fixed_hash(entry.source, event->event_id),
                   .product = state_->numbers.number_of(event->product_id)},
                  entry.committed_ms);
    }
  }
  state_->position.store(entry.position);
}

std::string SessionBook::checkpoint() const {
  if (state_->last_checkpoint == nullptr) return {};
  return store::key_of(k_session_record_form) +
         store::key_of(static_cast<std::uint64_t>(state_->newest_ms));
}

// Commits wait meanwhile: what can be done later is done in the background.
events::CheckpointPart SessionBook::begin_checkpoint() {
  if (state_->last_checkpoint == nullptr) return nullptr;
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  // What changed since the last one, and what a failed one did not write.
  std::vector<std::uint32_t> numbers = std::exchange(state.dirty, {});
  for (const std::uint32_t number : state.written) {
    if (!state.slots[number].is_dirty) numbers.push_back(number);
  }
  auto records = std::make_shared<std::vector<NumberedRecord>>();
  records->reserve(numbers.size());
  for (const std::uint32_t number : numbers) {
    Slot& slot = state.slots[number];
    slot.is_dirty = false;
    slot.is_handed_out = true;
    records->emplace_back(number, SessionRecord{.key = slot.key,
                                                .is_latest = slot.is_latest,
                                                .visitor = slot.visitor,
                                                .clicks = slot.shared_clicks});
  }
  state.written = std::move(numbers);
  return [records, &names = state.numbers](events::CheckpointWriter& writer) {
    std::ranges::sort(*records, {}, &NumberedRecord::first);
    for (const auto& [number, record] : *records) {
      if (record.clicks == nullptr) {
        writer.erase(store::key_of(number));
      } else {
        writer.put(store::key_of(number), encode(record, names));
      }
    }
  };
}

void SessionBook::end_checkpoint(bool is_durable) {
  const std::lock_guard lock(state_->mutex);
  if (is_durable) state_->written.clear();
}

absl::Status SessionBook::State::restore_slot(std::string_view key, std::string_view value) {
  const std::optional<std::uint32_t> number = store::small_number_in(key);
  const std::optional<SessionRecord> record = decode_session(value, numbers);
  if (!number || !record || record->clicks->size() > k_clicks_max) {
    return data_loss("a session of the checkpoint cannot be read ({} bytes)", value.size());
  }
  if (*number >= slots.size()) slots.resize(*number + 1);
  Slot& slot = slots[*number];
  slot.key = record->key;
  slot.visitor = record->visitor;
  slot.shared_clicks = std::make_shared<std::vector<Click>>(*record->clicks);
  show(*number);
  slot.is_latest = record->is_latest;
  if (slot.is_latest) keys.set(slot.key, ref(*number));
  return absl::OkStatus();
}

absl::Status SessionBook::restore(std::string_view checkpoint, Position at) {
  State& state = *state_;
  const auto form = store::small_number_in(checkpoint.substr(0, 4));
  const auto newest =
      store::number_in(checkpoint.substr(std::min<std::size_t>(4, checkpoint.size())));
  if (state.last_checkpoint == nullptr || form != k_session_record_form || !newest) {
    return absl::UnimplementedError("sessions of another form");
  }
  absl::Status status;
  VITRINE_RETURN_IF_ERROR(state.last_checkpoint->walk({}, [&](auto key, auto value) {
    status = state.restore_slot(key, value);
    return status.ok();
  }));
  VITRINE_RETURN_IF_ERROR(status);
  for (std::uint32_t number = 0; number < state.slots.size(); ++number) {
    if (state.slots[number].shared_clicks == nullptr) state.free_slots.push_back(number);
  }
  for (const auto& [last_ms, key, number] : state.by_age) {
    if (state.slots[number].has_two_products()) state.link(number);
  }
  state.newest_ms = static_cast<TimeMs>(*newest);
  state.position.store(at);
  state.forget_old();  // the limits may have become smaller
  return absl::OkStatus();
}

std::uint64_t SessionBook::fingerprint() const {
  std::uint64_t sum = static_cast<std::uint64_t>(state_->newest_ms);
  for (std::uint32_t number = 0; number < state_->slots.size(); ++number) {
    const Slot& slot = state_->slots[number];
    if (slot.shared_clicks == nullptr) continue;
    const SessionRecord record{.key = slot.key,
                               .is_latest = state_->keys.find(slot.key) == state_->ref(number),
                               .visitor = slot.visitor,
                               .clicks = slot.shared_clicks};
    sum += fixed_hash(encode(record, state_->numbers));  // in any order
  }
  return sum;
}

}  // namespace vitrine::profiles
