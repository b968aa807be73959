#include "server/identity/people_walk.h"

#include <memory>

#include "base/status.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::identity {
namespace {

// Up to so many people are stepped over; a search for one costs about as much.
constexpr std::uint32_t k_steps_max = 16;
// A cursor costs about as much as so many searches.
constexpr std::size_t k_dense_run = 8;

bool begins_dense(std::span<const UserNumber> rest) {
  return rest.size() > k_dense_run &&
         rest[k_dense_run].value() - rest.front().value() <= k_dense_run * k_steps_max;
}

}  // namespace

absl::Status walk_people(const store::Database& database, std::span<const UserNumber> numbers,
                         const std::function<void(UserNumber, const Person&)>& visit) {
  std::unique_ptr<store::Cursor> cursor;  // null while people lie far apart
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const UserNumber number = numbers[i];
    const std::string key = store::key_of(number.value());
    if (i > 0 && number.value() - numbers[i - 1].value() > k_steps_max) cursor.reset();
    if (cursor == nullptr && begins_dense(numbers.subspan(i))) {
      cursor = database.walk(store::Family::people, key, true);
    }
    if (cursor == nullptr) {
      VITRINE_ASSIGN_OR_RETURN(const auto bytes, database.get(store::Family::people, key));
      if (!bytes) continue;
      VITRINE_ASSIGN_OR_RETURN(const Person person, decode_person(number, *bytes));
      visit(number, person);
      continue;
    }
    while (cursor->valid() && cursor->key() < key) cursor->next();
    VITRINE_RETURN_IF_ERROR(cursor->status());
    if (!cursor->valid() || cursor->key() != key) continue;
    VITRINE_ASSIGN_OR_RETURN(const Person person, decode_person(number, cursor->value()));
    visit(number, person);
  }
  return absl::OkStatus();
}

}  // namespace vitrine::identity
