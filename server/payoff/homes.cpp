#include "server/payoff/homes.h"

#include "base/status.h"

namespace vitrine::payoff {

absl::StatusOr<UserNumber> home_of(const identity::IdentityBook& identities, UserNumber number) {
  constexpr int k_merges_max =
      16;  // a visitor becomes a claim's, a claim a user's: two in practice
  for (int i = 0; i < k_merges_max && number != k_nobody; ++i) {
    if (identities.is_user(number)) return number;
    VITRINE_ASSIGN_OR_RETURN(const std::optional<identity::Person> person,
                             identities.person(number));
    if (!person || person->erased_ms != 0) return k_nobody;
    if (person->moved_to == k_nobody || person->moved_to == number) return number;
    number = person->moved_to;
  }
  return number;
}

}  // namespace vitrine::payoff
