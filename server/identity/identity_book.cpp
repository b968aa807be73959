#include "server/identity/identity_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/identity/identity_state.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::identity {

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
    VITRINE_ASSIGN_OR_RETURN(const Person person, decode_person(number, records->value()));
    learn(number, known_of(person));
  }
  return records->status();
}

absl::Status IdentityBook::State::load() {
  people.resize(1);
  VITRINE_RETURN_IF_ERROR(load_numbers());
  return load_people();
}

void IdentityBook::State::count(const Known& person, int by) {
  if (person.is_user()) users += static_cast<std::size_t>(by);
  if (person.is_visitor()) visitor_count += static_cast<std::size_t>(by);
  if (person.is_erased != 0) erased += static_cast<std::size_t>(by);
}

void IdentityBook::State::learn(UserNumber number, const Known& now) {
  if (number.value() >= people.size()) people.resize(number.value() + 1);
  Known& known = people[number.value()];
  if (known.is_known != 0) count(known, -1);
  count(now, 1);
  const bool belonged = known.is_known != 0 && !known.is_user() && known.linked_user != number;
  if (belonged) std::erase(visitors[known.linked_user], number);
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
  CHECK(staged.next < k_numbers_max, "there are numbers left for people");
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
  person.refuses_personalization = before.refuses_personalization != 0;
  batch.put(Family::people, store::key_of(number.value()), encode(person));
  staged.people[number] = known_of(person);
  if (person.refuses_personalization && known_in(staged, to).refuses_personalization == 0) {
    amend(batch, staged, to, [](Person& user) { user.refuses_personalization = true; });
  }
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

void IdentityBook::State::amend(events::Batch& batch, Staged& staged, UserNumber number,
                                const std::function<void(Person&)>& change) const {
  const std::string key = store::key_of(number.value());
  const absl::StatusOr<std::optional<std::string>> stored = batch.get(Family::people, key);
  CHECK(stored.ok() && stored->has_value(), "the record of a known person is there");
  absl::StatusOr<Person> person = decode_person(number, **stored);
  CHECK(person.ok(), "the record of a known person can be read");
  change(*person);
  batch.put(Family::people, key, encode(*person));
  staged.people[number] = known_of(*person);
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
  const UserNumber user = user_id.empty() ? k_nobody : state_->living(state_->number_of(user_hash));
  const UserNumber visitor =
      visitor_id.empty() ? k_nobody : state_->living(state_->number_of(visitor_hash));
  if (user != k_nobody || visitor == k_nobody) {
    return {.user = user,
            .visitor = visitor,
            .refuses_personalization = state_->refuses(user, visitor)};
  }
  const UserNumber owner = state_->known(visitor).linked_user;
  const bool speaks_for_itself =
      user_id.empty() || owner == visitor || owner == state_->claim_number(visitor_id, user_id);
  return {.user = speaks_for_itself ? owner : k_nobody,
          .visitor = visitor,
          .refuses_personalization = state_->refuses(owner, visitor)};
}

Who IdentityBook::find_claimed(std::string_view user_id, std::string_view visitor_id) const {
  if (state_->database == nullptr || visitor_id.empty()) return {};
  const IdHash visitor_hash = hash_in(state_->key_of_id("visitor", visitor_id));
  const IdHash user_hash = hash_in(state_->key_of_id("user", user_id));

  const std::shared_lock lock(state_->mutex);
  const UserNumber visitor = state_->living(state_->number_of(visitor_hash));
  if (visitor == k_nobody) return {};
  const UserNumber owner = state_->known(visitor).linked_user;
  const bool is_the_same = user_id.empty() || owner == visitor ||
                           owner == state_->number_of(user_hash) ||
                           owner == state_->claim_number(visitor_id, user_id);
  if (!is_the_same) return {};
  return {.user = owner,
          .visitor = visitor,
          .is_own_part_only = state_->known(owner).is_user(),
          .refuses_personalization = state_->refuses(owner, visitor)};
}

Who IdentityBook::resolve(events::Batch& batch, std::string_view user_id,
                          std::string_view visitor_id, Trust trust) {
  CHECK(state_->database != nullptr, "only a stored book resolves");
  if (user_id.empty() && visitor_id.empty()) return {};
  State& state = *state_;
  Staged& staged = state.staged_in(batch);
  if (is_erased_visitor(batch, visitor_id)) visitor_id = {};
  if (is_erased_user(batch, user_id)) {
    user_id = {};
    if (trust == Trust::verified) return {.is_erased = true};
  }
  if (user_id.empty() && visitor_id.empty()) return {.is_erased = true};
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
    const Known known = state_->known_in(staged, number);
    if (known.is_erased != 0) return k_nobody;
    if (known.moved_to == 0) break;
    number = UserNumber(known.moved_to);
  }
  return number;
}

bool IdentityBook::has_erased(events::Batch& batch) {
  return state_->staged_in(batch).has_erased || state_->erased.load() > 0;
}

bool IdentityBook::is_erased_user(events::Batch& batch, std::string_view user_id) {
  return state_->is_erased_in(state_->staged_in(batch), "user", user_id);
}

bool IdentityBook::is_erased_visitor(events::Batch& batch, std::string_view visitor_id) {
  return state_->is_erased_in(state_->staged_in(batch), "visitor", visitor_id);
}

absl::StatusOr<std::optional<Person>> IdentityBook::person(UserNumber number) const {
  if (state_->database == nullptr) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(const auto bytes,
                           state_->database->get(Family::people, store::key_of(number.value())));
  if (!bytes) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(Person person, decode_person(number, *bytes));
  return std::optional(std::move(person));
}

void IdentityBook::set_personalization(events::Batch& batch, UserNumber user, bool is_refused) {
  State& state = *state_;
  Staged& staged = state.staged_in(batch);
  std::vector<UserNumber> people{user};
  {
    const std::shared_lock lock(state.mutex);
    const auto found = state.visitors.find(user);
    // What a visitor refused would win over what its user allows.
    if (!is_refused && found != state.visitors.end()) {
      people.insert(people.end(), found->second.begin(), found->second.end());
    }
  }
  for (const UserNumber number : people) {
    const Known known = state.known_in(staged, number);
    if (known.is_erased != 0 || (known.refuses_personalization != 0) == is_refused) continue;
    state.amend(batch, staged, number,
                [&](Person& person) { person.refuses_personalization = is_refused; });
  }
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
