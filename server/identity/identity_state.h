// The inside of an IdentityBook. For this folder's files only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/identity/identity_book.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::identity {

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

inline IdHash hash_in(std::string_view key) {
  IdHash hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

// What memory keeps of a person.
struct Known {
  UserNumber linked_user;  // of a visitor or claim: whose it is, or itself; k_nobody for a user
  std::uint32_t moved_to : 28 = 0;  // the number of whom its own history became
  std::uint32_t is_known : 1 = 0;   // there is such a number
  std::uint32_t is_claim : 1 = 0;
  std::uint32_t is_erased : 1 = 0;
  std::uint32_t refuses_personalization : 1 = 0;
  TimeMs first_seen_ms = 0;
  bool is_user() const { return linked_user == k_nobody && is_erased == 0; }
  bool is_visitor() const { return is_known != 0 && !is_user() && !is_claim && !is_erased; }
};
static_assert(sizeof(Known) == 16);
constexpr std::uint32_t k_numbers_max = UINT32_MAX >> 4;  // as many as moved_to can name

using Numbers = absl::flat_hash_map<IdHash, UserNumber>;

// What one batch made or changed, until it is durable.
struct Staged {
  Numbers numbers;
  absl::flat_hash_map<UserNumber, Known> people;
  std::uint32_t next = 0;
  bool has_erased = false;
};

inline Known known_of(const Person& person) {
  return {.linked_user = person.linked_user,
          .moved_to = person.moved_to.value() & k_numbers_max,
          .is_known = 1U,
          .is_claim = person.claimed_user_id.empty() ? 0U : 1U,
          .is_erased = person.erased_ms == 0 ? 0U : 1U,
          .refuses_personalization = person.refuses_personalization ? 1U : 0U,
          .first_seen_ms = person.first_seen_ms};
}

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
  // From here to staged_in(): called with the lock held.
  UserNumber number_of(const IdHash& hash) const {
    const auto found = numbers.find(hash);
    return found == numbers.end() ? k_nobody : found->second;
  }
  UserNumber claim_number(std::string_view visitor_id, std::string_view user_id) const {
    return number_of(hash_in(key_of_claim(visitor_id, user_id)));
  }
  const Known& known(UserNumber number) const { return people[number.value()]; }
  void learn(UserNumber number, const Known& now);
  void count(const Known& person, int by);
  // Nobody when the number is of somebody who was erased.
  UserNumber living(UserNumber number) const {
    return known(number).is_erased != 0 ? k_nobody : number;
  }
  bool refuses(UserNumber user, UserNumber visitor) const {
    return known(user).refuses_personalization != 0 || known(visitor).refuses_personalization != 0;
  }
  std::vector<UserNumber> closure_of(std::vector<UserNumber> people) const;
  std::vector<UserNumber> histories_of(const std::vector<UserNumber>& people) const;

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
  // The same beside what the batch staged; without the lock.
  std::vector<UserNumber> closure_in(const Staged& staged, std::vector<UserNumber> people) const;
  bool is_erased_in(const Staged& staged, std::string_view kind, std::string_view id) const;
  // Changes what is stored of a person, which exists.
  void amend(events::Batch& batch, Staged& staged, UserNumber number,
             const std::function<void(Person&)>& change) const;
  absl::StatusOr<std::vector<UserNumber>> claims_to_be(std::string_view user_id) const;
  absl::StatusOr<events::DataSubject> subject_of(std::vector<UserNumber> people,
                                                 std::string_view user_id) const;

  const store::Database* database;  // null: nobody is known
  mutable std::shared_mutex mutex;  // guards all below
  Numbers numbers;
  std::vector<Known> people;                                          // by number; 0 is nobody
  absl::flat_hash_map<UserNumber, std::vector<UserNumber>> visitors;  // of a user
  std::size_t users = 0;
  std::size_t visitor_count = 0;
  std::atomic<std::size_t> erased = 0;  // read without the lock
};

}  // namespace vitrine::identity
