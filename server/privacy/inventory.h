// Where personal data may be: every family of the store and every key of `meta` has an owner of
// personal data, or a reason why it needs none.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>
#include <vector>

#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::privacy {

struct Impersonal {
  store::Family family;
  std::string_view why;  // nothing in it is about a person
};
std::span<const Impersonal> impersonal_families();

// Those that nobody can export or erase from, and that no reason is given for.
std::vector<store::Family> unowned_families(std::span<events::PersonalData* const> owners);

// DataLoss names the first key of `meta` that is neither an owner's nor has a reason.
absl::Status check_meta_keys(const store::Database& database);

}  // namespace vitrine::privacy
