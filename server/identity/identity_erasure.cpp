// Who all stands for one person, and how they are forgotten.
#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <utility>

#include "base/status.h"
#include "server/events/replacements.h"
#include "server/identity/anonymous.h"
#include "server/identity/identity_book.h"
#include "server/identity/identity_state.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::identity {

bool IdentityBook::State::is_erased_in(const Staged& staged, std::string_view kind,
                                       std::string_view id) const {
  if (id.empty() || (!staged.has_erased && erased.load(std::memory_order_relaxed) == 0)) {
    return false;
  }
  const UserNumber number = number_in(staged, key_of_id(kind, id));
  return number != k_nobody && known_in(staged, number).is_erased != 0;
}

// Whoever belongs to one of them belongs to all.
std::vector<UserNumber> IdentityBook::State::closure_of(std::vector<UserNumber> found) const {
  const std::shared_lock lock(mutex);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto theirs = visitors.find(found[i]);
    if (theirs == visitors.end()) continue;
    for (const UserNumber number : theirs->second) {
      if (std::ranges::find(found, number) == found.end()) found.push_back(number);
    }
  }
  std::ranges::sort(found);
  return found;
}

std::vector<UserNumber> IdentityBook::State::closure_in(const Staged& staged,
                                                        std::vector<UserNumber> found) const {
  for (const auto& [number, now] : staged.people) {
    const bool is_theirs = std::ranges::find(found, now.linked_user) != found.end();
    if (is_theirs && std::ranges::find(found, number) == found.end()) found.push_back(number);
  }
  return closure_of(std::move(found));
}

// A visitor that was somebody else's before leaves what it did then with them.
std::vector<UserNumber> IdentityBook::State::histories_of(
    const std::vector<UserNumber>& theirs) const {
  std::vector<UserNumber> histories;
  const std::shared_lock lock(mutex);
  for (std::uint32_t number = 1; number < people.size(); ++number) {
    UserNumber home(number);
    while (known(home).moved_to != 0) home = UserNumber(known(home).moved_to);
    if (std::ranges::binary_search(theirs, home)) histories.emplace_back(number);
  }
  return histories;
}

absl::StatusOr<std::vector<UserNumber>> IdentityBook::State::claims_to_be(
    std::string_view user_id) const {
  std::vector<UserNumber> claims;
  const auto records = database->walk(Family::people, {}, true);
  for (; records->valid(); records->next()) {
    if (records->value().find(user_id) == std::string_view::npos) continue;
    const UserNumber number(store::small_number_in(records->key()).value_or(0));
    VITRINE_ASSIGN_OR_RETURN(const Person person, decode_person(number, records->value()));
    if (person.claimed_user_id == user_id) claims.push_back(number);
  }
  VITRINE_RETURN_IF_ERROR(records->status());
  return claims;
}

absl::StatusOr<events::DataSubject> IdentityBook::State::subject_of(
    std::vector<UserNumber> known_people, std::string_view user_id) const {
  if (!user_id.empty()) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<UserNumber> claims, claims_to_be(user_id));
    known_people.insert(known_people.end(), claims.begin(), claims.end());
  }
  events::DataSubject subject;
  subject.people = closure_of(std::move(known_people));
  subject.histories = histories_of(subject.people);
  if (!user_id.empty()) subject.user_ids.emplace_back(user_id);
  for (const UserNumber number : subject.people) {
    VITRINE_ASSIGN_OR_RETURN(const auto bytes,
                             database->get(Family::people, store::key_of(number.value())));
    if (!bytes) continue;
    VITRINE_ASSIGN_OR_RETURN(Person person, decode_person(number, *bytes));
    const bool is_visitor = person.claimed_user_id.empty() && !person.visitor_id.empty();
    if (is_visitor) subject.visitor_ids.push_back(std::move(person.visitor_id));
  }
  // Whoever else these visitors claimed to be is known by their ids, too.
  VITRINE_ASSIGN_OR_RETURN(const ClaimsBy claims, claims_by(*database, subject.visitor_ids));
  for (auto theirs : {&events::DataSubject::people, &events::DataSubject::histories}) {
    std::vector<UserNumber> both;
    std::ranges::set_union(subject.*theirs, claims.open, std::back_inserter(both));
    subject.*theirs = std::move(both);
  }
  return subject;
}

absl::StatusOr<std::optional<events::DataSubject>> IdentityBook::subject(
    std::string_view user_id, std::string_view visitor_id) const {
  const bool is_user = !user_id.empty();
  UserNumber start;
  {
    const std::string key =
        is_user ? state_->key_of_id("user", user_id) : state_->key_of_id("visitor", visitor_id);
    const std::shared_lock lock(state_->mutex);
    start = state_->living(state_->number_of(hash_in(key)));
    if (!is_user && start != k_nobody) start = state_->known(start).linked_user;
  }
  std::string id(user_id);
  if (!is_user) {
    if (start == k_nobody) return std::nullopt;
    VITRINE_ASSIGN_OR_RETURN(const std::optional<Person> owner, person(start));
    if (owner) id = owner->claimed_user_id.empty() ? owner->user_id : owner->claimed_user_id;
  }
  std::vector<UserNumber> people;
  if (start != k_nobody) people.push_back(start);
  VITRINE_ASSIGN_OR_RETURN(events::DataSubject found, state_->subject_of(std::move(people), id));
  if (found.people.empty()) return std::nullopt;
  return found;
}

absl::StatusOr<std::optional<events::DataSubject>> IdentityBook::subject_of_key(
    std::string_view key) const {
  UserNumber number;
  {
    const std::shared_lock lock(state_->mutex);
    if (key.size() != store::k_hashed_key_bytes) return std::nullopt;
    number = state_->living(state_->number_of(hash_in(key)));
  }
  if (number == k_nobody) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(const std::optional<Person> known, person(number));
  if (!known) return std::nullopt;
  return known->user_id.empty() ? subject({}, known->visitor_id) : subject(known->user_id, {});
}

std::vector<std::string> IdentityBook::keys_of(const events::DataSubject& subject) const {
  std::vector<std::string> keys;
  keys.reserve(subject.user_ids.size() + subject.visitor_ids.size());
  for (const std::string& id : subject.user_ids) keys.push_back(state_->key_of_id("user", id));
  for (const std::string& id : subject.visitor_ids) {
    keys.push_back(state_->key_of_id("visitor", id));
  }
  return keys;
}

std::size_t IdentityBook::erase(events::Batch& batch, const events::DataSubject& subject) {
  State& state = *state_;
  Staged& staged = state.staged_in(batch);
  staged.has_erased = true;
  std::size_t erased = 0;
  // Who came to belong to them since the subject was looked up goes along.
  for (const UserNumber number : state.closure_in(staged, subject.people)) {
    if (state.known_in(staged, number).is_erased != 0) continue;
    state.amend(batch, staged, number, [&](Person& person) {
      person = {.linked_user = number, .erased_ms = std::max<TimeMs>(1, batch.time_ms())};
    });
    ++erased;
  }
  // A user that was only claimed has no number of its own: its id is to be recognised, too.
  for (const std::string& key : keys_of(subject)) {
    if (subject.people.empty() || state.number_in(staged, key) != k_nobody) continue;
    staged.numbers.emplace(hash_in(key), subject.people.front());
    batch.put(Family::ids, key, store::key_of(subject.people.front().value()));
  }
  return erased;
}

absl::StatusOr<events::Erased> IdentityBook::erase_person(const events::DataSubject& subject,
                                                          events::Committer& committer) {
  State& state = *state_;
  VITRINE_ASSIGN_OR_RETURN(const ClaimsBy claims, claims_by(*state.database, subject.visitor_ids));
  events::Erased erased;
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    erased.dropped = erase(batch, subject);
    Staged& staged = state.staged_in(batch);
    // What became part of another user stays with them, without the visitor's id.
    for (const UserNumber number : claims.confirmed) {
      if (state.known_in(staged, number).is_erased != 0) continue;
      state.amend(batch, staged, number, [](Person& person) { person.visitor_id.clear(); });
    }
    return absl::OkStatus();
  }));
  return erased;
}

absl::StatusOr<std::string> IdentityBook::export_person(const events::DataSubject& subject) const {
  namespace json = boost::json;
  json::array people;
  for (const UserNumber number : subject.people) {
    VITRINE_ASSIGN_OR_RETURN(const std::optional<Person> known, person(number));
    if (!known || known->erased_ms != 0) continue;
    json::object out;
    if (!known->user_id.empty()) out["user_id"] = known->user_id;
    if (!known->visitor_id.empty()) out["visitor_id"] = known->visitor_id;
    if (!known->claimed_user_id.empty()) out["claimed_user_id"] = known->claimed_user_id;
    out["first_seen_at"] = format_time(known->first_seen_ms);
    out["personalize"] = !known->refuses_personalization;
    people.push_back(std::move(out));
  }
  return json::serialize(people);
}

}  // namespace vitrine::identity
