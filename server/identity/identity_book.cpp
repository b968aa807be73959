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
  UserNumber linked_user;  // of a visitor: whose it is, or itself; k_nobody for a user
  TimeMs first_seen_ms = 0;
  bool is_visitor() const { return linked_user != k_nobody; }
};

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
                .first_seen_ms = in.first_seen_ms()};
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
  // The three below: called with the lock held.
  UserNumber number_of(const IdHash& hash) const {
    const auto found = numbers.find(hash);
    return found == numbers.end() ? k_nobody : found->second;
  }
  const Known& known(UserNumber number) const { return people[number.value()]; }
  void learn(UserNumber number, const Known& now);

  Staged& staged_in(events::Batch& batch);
  UserNumber resolve_id(events::Batch& batch, Staged& staged, std::string_view kind,
                        std::string_view id);
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
    learn(number, {.linked_user = person.linked_user, .first_seen_ms = person.first_seen_ms});
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
  if (!now.is_visitor()) {
    ++users;  // learnt once and never changed
  } else if (!known.is_visitor()) {
    ++visitor_count;
  }
  if (known.is_visitor() && known.linked_user != number) {
    std::erase(visitors[known.linked_user], number);
  }
  if (now.is_visitor() && now.linked_user != number) visitors[now.linked_user].push_back(number);
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

UserNumber IdentityBook::State::resolve_id(events::Batch& batch, Staged& staged,
                                           std::string_view kind, std::string_view id) {
  const std::string key = key_of_id(kind, id);
  const IdHash hash = hash_in(key);
  {
    const std::shared_lock lock(mutex);
    if (const UserNumber number = number_of(hash); number != k_nobody) return number;
  }
  const auto [place, is_new] = staged.numbers.try_emplace(hash);
  if (!is_new) return place->second;
  CHECK(staged.next < UINT32_MAX, "there are numbers left for people");
  const UserNumber number(staged.next++);
  place->second = number;

  const bool is_visitor = kind == "visitor";
  const Person person{.user_id = std::string(is_visitor ? std::string_view{} : id),
                      .visitor_id = std::string(is_visitor ? id : std::string_view{}),
                      .linked_user = is_visitor ? number : k_nobody,
                      .first_seen_ms = batch.time_ms()};
  staged.people[number] = {person.linked_user, person.first_seen_ms};
  batch.put(Family::ids, key, store::key_of(number.value()));
  batch.put(Family::people, store::key_of(number.value()), encode(person));
  return number;
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
  const bool speaks_for_itself = user_id.empty() || owner == visitor;
  return {.user = speaks_for_itself ? owner : k_nobody, .visitor = visitor};
}

Who IdentityBook::resolve(events::Batch& batch, std::string_view user_id,
                          std::string_view visitor_id) {
  CHECK(state_->database != nullptr, "only a stored book resolves");
  if (user_id.empty() && visitor_id.empty()) return {};
  Staged& staged = state_->staged_in(batch);
  Who who;
  if (!user_id.empty()) who.user = state_->resolve_id(batch, staged, "user", user_id);
  if (visitor_id.empty()) return who;
  who.visitor = state_->resolve_id(batch, staged, "visitor", visitor_id);

  const Known visitor = state_->known_in(staged, who.visitor);
  if (user_id.empty()) {
    who.user = visitor.linked_user;
    return who;
  }
  if (visitor.linked_user == who.user) return who;
  batch.append(
      {.user = who.user,
       .visitor = who.visitor,
       .source = {},
       .what = VisitorLink{
           .visitor = who.visitor, .from_user = visitor.linked_user, .to_user = who.user}});
  const Person linked{.user_id = {},
                      .visitor_id = std::string(visitor_id),
                      .linked_user = who.user,
                      .first_seen_ms = visitor.first_seen_ms};
  batch.put(Family::people, store::key_of(who.visitor.value()), encode(linked));
  staged.people[who.visitor] = {who.user, visitor.first_seen_ms};
  return who;
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
  std::vector<UserNumber> sorted = found->second;
  std::ranges::sort(sorted);
  return sorted;
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
