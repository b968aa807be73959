#include "server/identity/anonymous.h"

#include <algorithm>

#include "base/status.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::identity {
namespace {

bool names_one_of(const std::vector<std::string>& ids, std::string_view bytes) {
  return std::ranges::any_of(
      ids, [&](const std::string& id) { return bytes.find(id) != std::string_view::npos; });
}

}  // namespace

absl::StatusOr<ClaimsBy> claims_by(const store::Database& database,
                                   const std::vector<std::string>& visitor_ids) {
  ClaimsBy claims;
  if (visitor_ids.empty()) return claims;
  const auto records = database.walk(store::Family::people, {}, true);
  for (; records->valid(); records->next()) {
    if (!names_one_of(visitor_ids, records->value())) continue;
    const UserNumber number(store::small_number_in(records->key()).value_or(0));
    VITRINE_ASSIGN_OR_RETURN(const Person person, decode_person(number, records->value()));
    const bool is_theirs = std::ranges::find(visitor_ids, person.visitor_id) != visitor_ids.end();
    if (person.claimed_user_id.empty() || !is_theirs) continue;
    (person.linked_user == number ? claims.open : claims.confirmed).push_back(number);
  }
  VITRINE_RETURN_IF_ERROR(records->status());
  return claims;
}

absl::StatusOr<std::optional<events::DataSubject>> anonymous_visitor(
    const IdentityBook& identities, const store::Database& database, std::string_view visitor_id) {
  const Who who = identities.find({}, visitor_id);
  if (who.visitor == k_nobody) return std::nullopt;
  if (identities.is_user(who.user)) {
    return failed_precondition("the visitor {} belongs to a user: ask for the user", visitor_id);
  }
  events::DataSubject subject;
  subject.visitor_ids.emplace_back(visitor_id);
  VITRINE_ASSIGN_OR_RETURN(const ClaimsBy claims, claims_by(database, subject.visitor_ids));
  subject.people = claims.open;
  subject.people.insert(std::ranges::lower_bound(subject.people, who.visitor), who.visitor);
  subject.histories = subject.people;
  // What it did before belongs to a user that it was once.
  VITRINE_ASSIGN_OR_RETURN(const std::optional<Person> own, identities.person(who.visitor));
  const UserNumber home = own ? own->moved_to : k_nobody;
  if (home != k_nobody && !std::ranges::binary_search(subject.people, home)) {
    std::erase(subject.histories, who.visitor);
  }
  return subject;
}

}  // namespace vitrine::identity
