// Browsers that nobody logged in with: who they are to be forgotten, and what they only claimed.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "server/events/personal_data.h"
#include "server/identity/identity_book.h"
#include "server/store/database.h"

namespace vitrine::identity {

// Who these visitors only claimed to be, by the number of each claim.
struct ClaimsBy {
  std::vector<UserNumber> open;       // persons of their own
  std::vector<UserNumber> confirmed;  // part of the user by now
};
// Walks all people, unless `visitor_ids` is empty.
absl::StatusOr<ClaimsBy> claims_by(const store::Database& database,
                                   const std::vector<std::string>& visitor_ids);

// A visitor with all it claimed to be; nothing when it is not known. FailedPrecondition when it
// belongs to a user, whose history cannot be told apart from its own any more.
absl::StatusOr<std::optional<events::DataSubject>> anonymous_visitor(
    const IdentityBook& identities, const store::Database& database, std::string_view visitor_id);

}  // namespace vitrine::identity
