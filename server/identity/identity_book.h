// Who is who: ids of users and visitors to numbers, and visitors to the users they turned out to
// be.
//
// A user id that came under a public key is a claim: anybody can send one. What a visitor does
// while it claims to be a user belongs to a person of its own, the claim, until somebody who can be
// trusted names the two together: then it becomes the user's.
// Who was erased is never resolved again: the keyed hashes of their ids stay, leading to a number
// that nothing is kept of.
// Thread-safe for reading; what takes a batch on the committer thread. Readers see a resolution
// once its batch is durable.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::identity {

struct Who {
  UserNumber user = k_nobody;     // whose history counts; k_nobody when neither id is known
  UserNumber visitor = k_nobody;  // k_nobody when no visitor is known
  // The user has done more than this visitor may be told: only what it did itself counts.
  bool is_own_part_only = false;
  // Of resolve(): who this is said to be was erased, so that what they did must not be kept.
  bool is_erased = false;
  // Nothing known about the person may be used in an answer.
  bool refuses_personalization = false;
};

// How sure it is that a user id is the sender's.
enum class Trust : std::uint8_t { verified, claimed };

struct Person {
  std::string user_id = {};           // empty for a visitor and for a claim
  std::string visitor_id = {};        // empty for a user, and for claims without a visitor
  UserNumber linked_user = k_nobody;  // of a visitor or a claim: the user it belongs to, or itself
  TimeMs first_seen_ms = 0;
  std::string claimed_user_id = {};  // of a claim
  UserNumber moved_to = k_nobody;    // whose its own history became
  TimeMs erased_ms = 0;              // forgotten: all else but linked_user is empty
  bool refuses_personalization = false;
};

class IdentityBook final : public events::PersonalData {
 public:
  // Loads every id's hash and every link into memory. `database` outlives it.
  static absl::StatusOr<std::unique_ptr<IdentityBook>> open(const store::Database& database);
  // Knows nobody, and nobody may be resolved with it: for work on people known by their numbers.
  static std::unique_ptr<IdentityBook> of_nobody();
  ~IdentityBook() override;

  // An empty id is no id. A known user_id wins over where the visitor belongs; beside an unknown
  // one the visitor counts as long as it belongs to nobody else.
  Who find(std::string_view user_id, std::string_view visitor_id) const;
  // The same for a user id that is only claimed: what the visitor did itself, as long as it did not
  // turn out to be somebody else.
  Who find_claimed(std::string_view user_id, std::string_view visitor_id) const;

  // Finds or makes the numbers; when both ids are given and the visitor belongs to nobody or to
  // somebody else, links the visitor to the user and appends the VisitorLink to the log, before the
  // event that caused it. A claimed user id links the visitor to the claim, and makes or names no
  // user; one that is verified brings the claim of these two along.
  Who resolve(events::Batch& batch, std::string_view user_id, std::string_view visitor_id,
              Trust trust = Trust::verified);

  // Whether the id is one of somebody who was erased; nobody may be resolved by it any more.
  bool has_erased(events::Batch& batch);  // anybody
  bool is_erased_user(events::Batch& batch, std::string_view user_id);
  bool is_erased_visitor(events::Batch& batch, std::string_view visitor_id);

  // A refusal stays with the person through merges: who joins somebody that refuses, refuses.
  void set_personalization(events::Batch& batch, UserNumber user, bool is_refused);

  // Everybody that a user id, else a visitor id, stands for: the user, the visitors that belong to
  // it now, and all claims to be it with theirs. Nothing when nobody is known by that id.
  // Walks all people.
  absl::StatusOr<std::optional<events::DataSubject>> subject(std::string_view user_id,
                                                             std::string_view visitor_id) const;
  // The same for the key of an id in Family::ids.
  absl::StatusOr<std::optional<events::DataSubject>> subject_of_key(std::string_view key) const;
  // Forgets the ids and links of all of them. Their numbers are never given to anybody else.
  // How many people that were; those that are erased already are not counted.
  std::size_t erase(events::Batch& batch, const events::DataSubject& subject);
  // The keys in Family::ids of the subject's ids, by which they are recognised when they come
  // again, in this folder and in restored copies of it.
  std::vector<std::string> keys_of(const events::DataSubject& subject) const;

  // Whose history holds what was once counted for `number`; nobody when they were erased. On the
  // committer thread.
  UserNumber home_of(events::Batch& batch, UserNumber number);

  absl::StatusOr<std::optional<Person>> person(UserNumber number) const;
  // The visitors that belong to a user now.
  std::vector<UserNumber> visitors_of(UserNumber user) const;
  std::string_view name() const override { return "identity"; }
  std::vector<store::Family> families() const override {
    return {store::Family::ids, store::Family::people};
  }
  // [{"user_id" or "visitor_id", ...}], one for each number.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  // erase() in a batch of its own.
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

  bool is_user(UserNumber number) const;  // not a visitor, and not a claim
  std::size_t user_count() const;
  std::size_t visitor_count() const;

 private:
  struct State;
  explicit IdentityBook(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::identity
