// Who is who: ids of users and visitors to numbers, and visitors to the users they turned out to
// be.
//
// Thread-safe for reading; resolve() on the committer thread. Readers see a resolution once its
// batch is durable.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::identity {

struct Who {
  UserNumber user;     // whose history counts; k_nobody when neither id is known
  UserNumber visitor;  // k_nobody when no visitor is known
};

struct Person {
  std::string user_id;     // empty for a visitor
  std::string visitor_id;  // empty for a user
  UserNumber linked_user;  // of a visitor: the user it belongs to, or itself
  TimeMs first_seen_ms = 0;
};

class IdentityBook {
 public:
  // Loads every id's hash and every link into memory. `database` outlives it.
  static absl::StatusOr<std::unique_ptr<IdentityBook>> open(const store::Database& database);
  // Knows nobody, and nobody may be resolved with it: for work on people known by their numbers.
  static std::unique_ptr<IdentityBook> of_nobody();
  ~IdentityBook();

  // An empty id is no id. A known user_id wins over where the visitor belongs; beside an unknown
  // one the visitor counts as long as it belongs to nobody else.
  Who find(std::string_view user_id, std::string_view visitor_id) const;

  // Finds or makes the numbers; when both ids are given and the visitor belongs to nobody or to
  // somebody else, links the visitor to the user and appends the VisitorLink to the log, before the
  // event that caused it.
  Who resolve(events::Batch& batch, std::string_view user_id, std::string_view visitor_id);

  absl::StatusOr<std::optional<Person>> person(UserNumber number) const;
  // The visitors that belong to a user now.
  std::vector<UserNumber> visitors_of(UserNumber user) const;
  std::size_t user_count() const;
  std::size_t visitor_count() const;

 private:
  struct State;
  explicit IdentityBook(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::identity
