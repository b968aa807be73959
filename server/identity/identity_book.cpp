#include "server/identity/identity_book.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "model/proto/identity.pb.h"
#include "server/store/key.h"

namespace vitrine::identity {
namespace {

using store::Family;

// A hashed id in 16 bytes instead of a string on the heap.
struct IdHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const IdHash&, const IdHash&) = default;
  template <class H>
  friend H AbslHashValue(H state, const IdHash& hash) {
    return H::combine(std::move(state), hash.high);
  }
};
static_assert(sizeof(IdHash) == store::k_hashed_key_bytes);

IdHash hash_in(std::string_view key) {
  IdHash hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

// What memory keeps of a person.
struct Known {
  UserNumber linked_user;  // of a visitor or claim: whose it is, or itself; k_nobody for a user
  std::uint32_t moved_to : 31 = 0;  // the number of whom its own history became
  std::uint32_t is_claim : 1 = 0;
  TimeMs first_seen_ms = 0;
  bool is_user() const { return linked_user == k_nobody; }
};
static_assert(sizeof(Known) == 16);

using Numbers = absl::flat_hash_map<IdHash, UserNumber>;

// What one batch made or changed, until it is durable.
struct Staged {
  Numbers numbers;
  absl::flat_hash_map<UserNumber, Known> people;
  std::uint32_t next = 0;
};

std::string encode(const Person& person) {
  proto::Person out;
  out.set_user_id(person.user_id);
  out.set_visitor_id(person.visitor_id);
  out.set_linked_user(person.linked_user.value());
  out.set_first_seen_ms(person.first_seen_ms);
  out.set_claimed_user_id(person.claimed_user_id);
  out.set_moved_to(person.moved_to.value());
  return out.SerializeAsString();
}

absl::StatusOr<Person> decode(UserNumber number, std::string_view bytes) {
  thread_local proto::Person in;  // kept, because making and freeing its parts takes longest
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("the record of person {} cannot be read", number.value());
  }
  return Person{.user_id = std::move(*in.mutable_user_id()),
                .visitor_id = std::move(*in.mutable_visitor_id()),
                .linked_user = UserNumber(in.linked_user()),
                .first_seen_ms = in.first_seen_ms(),
                .claimed_user_id = std::move(*in.mutable_claimed_user_id()),
                .moved_to = UserNumber(in.moved_to())};
}

Known known_of(const Person& person) {
  return {.linked_user = person.linked_user,
          .moved_to = person.moved_to.value() & 0x7FFFFFFFU,
          .is_claim = person.claimed_user_id.empty() ? 0U : 1U,
          .first_seen_ms = person.first_seen_ms};
}

}  // namespace

struct IdentityBook::State {
  explicit State(const store::Database* database_in) : database(database_in) {}

  absl::Status load();
  absl::Status load_numbers();
  absl::Status load_people();

  std::string key_of_id(std::string_view kind, std::string_view id) const {
    return store::hashed_key(database->secret(), kind, {}, id);
  }
  std::string key_of_claim(std::string_view visitor_id, std::string_view user_id) const {
    return store::hashed_key(database->secret(), "claim", visitor_id, user_id);
  }
  // The four below: called with the lock held.
  UserNumber number_of(const IdHash& hash) const {
    const auto found = numbers.find(hash);
    return found == numbers.end() ? k_nobody : found->second;
  }
  UserNumber claim_number(std::string_view visitor_id, std::string_view user_id) const {
    return number_of(hash_in(key_of_claim(visitor_id, user_id)));
  }
  const Known& known(UserNumber number) const { return people[number.value()]; }
  void learn(UserNumber number, const Known& now);

  Staged& staged_in(events::Batch& batch);
  // Nobody when there is no such person yet.
  UserNumber number_in(const Staged& staged, std::string_view key) const;
  // `person`'s ids are what is stored when the key is new.
  UserNumber find_or_make(events::Batch& batch, Staged& staged, std::string_view key,
                          Person person);
  UserNumber resolve_user(events::Batch& batch, Staged& staged, std::string_view id);
  UserNumber resolve_visitor(events::Batch& batch, Staged& staged, std::string_view id);
  Who resolve_claim(events::Batch& batch, Staged& staged, std::string_view user_id,
                    std::string_view visitor_id);
  void link(events::Batch& batch, Staged& staged, UserNumber number, Person person, UserNumber to);
  Known known_in(const Staged& staged, UserNumber number) const;

  const store::Database* database;  // null: nobody is known
  mutable std::shared_mutex mutex;  // guards all below
  Numbers numbers;
  std::vector<Known> people;                                          // by number; 0 is nobody
  absl::flat_hash_map<UserNumber, std::vector<UserNumber>> visitors;  // of a user
  std::size_t users = 0;
  std::size_t visitor_count = 0;
};

absl::Status IdentityBook::State::load_numbers() {
  const auto ids = database->walk(Family::ids, {}, true);
  for (; ids->valid(); ids->next()) {
    const auto number = store::small_number_in(ids->value());
    if (ids->key().size() != store::k_hashed_key_bytes || !number || *number == 0) {
      return data_loss("the table of ids has an entry that cannot be read");
    }
    numbers.emplace(hash_in(ids->key()), UserNumber(*number));
  }
  return ids->status();
}

absl::Status IdentityBook::State::load_people() {
  const auto records = database->walk(Family::people, {}, true);
  for (; records->valid(); records->next()) {
    const auto key = store::small_number_in(records->key());
    if (!key || *key == 0) {
      return data_loss("the table of people has a key that cannot be read");
    }
    const UserNumber number(*key);
    VITRINE_ASSIGN_OR_RETURN(const Person person, decode(number, records->value()));
    learn(number, known_of(person));
  }
  return records->status();
}

absl::Status IdentityBook::State::load() {
  people.resize(1);
  VITRINE_RETURN_IF_ERROR(load_numbers());
  return load_people();
}

void IdentityBook::State::learn(UserNumber number, const Known& now) {
  if (number.value() >= people.size()) people.resize(number.value() + 1);
  Known& known = people[number.value()];
  if (now.is_user()) {
    ++users;  // learnt once and never changed
  } else if (known.is_user() && !now.is_claim) {
    ++visitor_count;
  }
  if (!known.is_user() && known.linked_user != number) {
    std::erase(visitors[known.linked_user], number);
  }
  if (!now.is_user() && now.linked_user != number) visitors[now.linked_user].push_back(number);
  known = now;
}

Staged& IdentityBook::State::staged_in(events::Batch& batch) {
  return batch.staged_by<Staged>(this, [&] {
    auto staged = std::make_shared<Staged>();
    {
      const std::shared_lock lock(mutex);
      staged->next = static_cast<std::uint32_t>(people.size());
    }
    batch.after_sync([this, staged] {
      const std::lock_guard lock(mutex);
      numbers.insert(staged->numbers.begin(), staged->numbers.end());
      for (const auto& [number, now] : staged->people) learn(number, now);
    });
    return staged;
  });
}

UserNumber IdentityBook::State::number_in(const Staged& staged, std::string_view key) const {
  const IdHash hash = hash_in(key);
  {
    const std::shared_lock lock(mutex);
    if (const UserNumber number = number_of(hash); number != k_nobody) return number;
  }
  const auto found = staged.numbers.find(hash);
  return found == staged.numbers.end() ? k_nobody : found->second;
}

UserNumber IdentityBook::State::find_or_make(events::Batch& batch, Staged& staged,
                                             std::string_view key, Person person) {
  if (const UserNumber number = number_in(staged, key); number != k_nobody) return number;
  CHECK(staged.next < (UINT32_MAX >> 1), "there are numbers left for people");
  const UserNumber number(staged.next++);
  staged.numbers.emplace(hash_in(key), number);
  person.linked_user = person.user_id.empty() ? number : k_nobody;
  person.first_seen_ms = batch.time_ms();
  staged.people[number] = known_of(person);
  batch.put(Family::ids, key, store::key_of(number.value()));
  batch.put(Family::people, store::key_of(number.value()), encode(person));
  return number;
}

UserNumber IdentityBook::State::resolve_user(events::Batch& batch, Staged& staged,
                                             std::string_view id) {
  return find_or_make(batch, staged, key_of_id("user", id), {.user_id = std::string(id)});
}

UserNumber IdentityBook::State::resolve_visitor(events::Batch& batch, Staged& staged,
                                                std::string_view id) {
  return find_or_make(batch, staged, key_of_id("visitor", id), {.visitor_id = std::string(id)});
}

// The person's own things move along when it belonged to nobody before.
void IdentityBook::State::link(events::Batch& batch, Staged& staged, UserNumber number,
                               Person person, UserNumber to) {
  const Known before = known_in(staged, number);
  batch.append(
      {.user = to,
       .visitor = number,
       .source = {},
       .what = VisitorLink{.visitor = number, .from_user = before.linked_user, .to_user = to}});
  person.linked_user = to;
  person.first_seen_ms = before.first_seen_ms;
  person.moved_to = before.linked_user == number ? to : UserNumber(before.moved_to);
  batch.put(Family::people, store::key_of(number.value()), encode(person));
  staged.people[number] = known_of(person);
}

Who IdentityBook::State::resolve_claim(events::Batch& batch, Staged& staged,
                                       std::string_view user_id, std::string_view visitor_id) {
  Who who;
  if (!visitor_id.empty()) who.visitor = resolve_visitor(batch, staged, visitor_id);
  const UserNumber owner =
      who.visitor == k_nobody ? k_nobody : known_in(staged, who.visitor).linked_user;
  who.user = owner;
  if (user_id.empty()) return who;
  if (owner != k_nobody && owner == number_in(staged, key_of_id("user", user_id))) return who;
  const UserNumber claim = find_or_make(
      batch, staged, key_of_claim(visitor_id, user_id),
      {.visitor_id = std::string(visitor_id), .claimed_user_id = std::string(user_id)});
  who.user = known_in(staged, claim).linked_user;  // the user itself, once that was confirmed
  if (who.visitor != k_nobody && owner != who.user) {
    link(batch, staged, who.visitor, {.visitor_id = std::string(visitor_id)}, who.user);
  }
  return who;
}

Known IdentityBook::State::known_in(const Staged& staged, UserNumber number) const {
  const auto found = staged.people.find(number);
  if (found != staged.people.end()) return found->second;
  const std::shared_lock lock(mutex);
  return known(number);
}

absl::StatusOr<std::unique_ptr<IdentityBook>> IdentityBook::open(const store::Database& database) {
  auto state = std::make_unique<State>(&database);
  VITRINE_RETURN_IF_ERROR(state->load());
  return std::unique_ptr<IdentityBook>(new IdentityBook(std::move(state)));
}

std::unique_ptr<IdentityBook> IdentityBook::of_nobody() {
  return std::unique_ptr<IdentityBook>(new IdentityBook(std::make_unique<State>(nullptr)));
}

IdentityBook::IdentityBook(std::unique_ptr<State> state) : state_(std::move(state)) {}
IdentityBook::~IdentityBook() = default;

Who IdentityBook::find(std::string_view user_id, std::string_view visitor_id) const {
  if (state_->database == nullptr) return {};
  IdHash user_hash;
  IdHash visitor_hash;
  if (!user_id.empty()) user_hash = hash_in(state_->key_of_id("user", user_id));
  if (!visitor_id.empty()) visitor_hash = hash_in(state_->key_of_id("visitor", visitor_id));

  const std::shared_lock lock(state_->mutex);
  const UserNumber user = user_id.empty() ? k_nobody : state_->number_of(user_hash);
  const UserNumber visitor = visitor_id.empty() ? k_nobody : state_->number_of(visitor_hash);
  if (user != k_nobody || visitor == k_nobody) return {.user = user, .visitor = visitor};
  const UserNumber owner = state_->known(visitor).linked_user;
  const bool speaks_for_itself =
      user_id.empty() || owner == visitor || owner == state_->claim_number(visitor_id, user_id);
  return {.user = speaks_for_itself ? owner : k_nobody, .visitor = visitor};
}

Who IdentityBook::find_claimed(std::string_view user_id, std::string_view visitor_id) const {
  if (state_->database == nullptr || visitor_id.empty()) return {};
  const IdHash visitor_hash = hash_in(state_->key_of_id("visitor", visitor_id));
  const IdHash user_hash = hash_in(state_->key_of_id("user", user_id));

  const std::shared_lock lock(state_->mutex);
  const UserNumber visitor = state_->number_of(visitor_hash);
  if (visitor == k_nobody) return {};
  const UserNumber owner = state_->known(visitor).linked_user;
  const bool is_the_same = user_id.empty() || owner == visitor ||
                           owner == state_->number_of(user_hash) ||
                           owner == state_->claim_number(visitor_id, user_id);
  if (!is_the_same) return {};
  return {.user = owner, .visitor = visitor, .is_own_part_only = state_->known(owner).is_user()};
}

Who IdentityBook::resolve(events::Batch& batch, std::string_view user_id,
                          std::string_view visitor_id, Trust trust) {
  CHECK(state_->database != nullptr, "only a stored book resolves");
  if (user_id.empty() && visitor_id.empty()) return {};
  State& state = *state_;
  Staged& staged = state.staged_in(batch);
  if (trust == Trust::claimed) return state.resolve_claim(batch, staged, user_id, visitor_id);
  Who who;
  if (!user_id.empty()) who.user = state.resolve_user(batch, staged, user_id);
  if (visitor_id.empty()) return who;
  who.visitor = state.resolve_visitor(batch, staged, visitor_id);

  const UserNumber owner = state.known_in(staged, who.visitor).linked_user;
  if (user_id.empty()) {
    who.user = owner;
    return who;
  }
  if (owner == who.user) return who;
  const UserNumber claim = state.number_in(staged, state.key_of_claim(visitor_id, user_id));
  if (claim != k_nobody && state.known_in(staged, claim).linked_user == claim) {
    state.link(batch, staged, claim,
               {.visitor_id = std::string(visitor_id), .claimed_user_id = std::string(user_id)},
               who.user);
  }
  state.link(batch, staged, who.visitor, {.visitor_id = std::string(visitor_id)}, who.user);
  return who;
}

UserNumber IdentityBook::home_of(events::Batch& batch, UserNumber number) {
  const Staged& staged = state_->staged_in(batch);
  while (number != k_nobody) {
    const UserNumber next(state_->known_in(staged, number).moved_to);
    if (next == k_nobody) break;
    number = next;
  }
  return number;
}

absl::StatusOr<std::optional<Person>> IdentityBook::person(UserNumber number) const {
  if (state_->database == nullptr) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(const auto bytes,
                           state_->database->get(Family::people, store::key_of(number.value())));
  if (!bytes) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(Person person, decode(number, *bytes));
  return std::optional(std::move(person));
}

std::vector<UserNumber> IdentityBook::visitors_of(UserNumber user) const {
  const std::shared_lock lock(state_->mutex);
  const auto found = state_->visitors.find(user);
  if (found == state_->visitors.end()) return {};
  std::vector<UserNumber> sorted;
  for (const UserNumber number : found->second) {
    if (!state_->known(number).is_claim) sorted.push_back(number);
  }
  std::ranges::sort(sorted);
  return sorted;
}

bool IdentityBook::is_user(UserNumber number) const {
  const std::shared_lock lock(state_->mutex);
  return number.value() < state_->people.size() && number != k_nobody &&
         state_->known(number).is_user();
}

std::size_t IdentityBook::user_count() const {
  const std::shared_lock lock(state_->mutex);
  return state_->users;
}
std::size_t IdentityBook::visitor_count() const {
  const std::shared_lock lock(state_->mutex);
  return state_->visitor_count;
}

}  // namespace vitrine::identity
