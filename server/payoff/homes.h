// Whose history holds what a number did, after all merges.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include "server/identity/identity_book.h"

namespace vitrine::payoff {

// The number itself for somebody who was never merged; nobody for nobody and for the erased.
absl::StatusOr<UserNumber> home_of(const identity::IdentityBook& identities, UserNumber number);

}  // namespace vitrine::payoff
