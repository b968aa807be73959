// The stored form of a Person.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "server/identity/identity_book.h"

namespace vitrine::identity {

std::string encode(const Person& person);
// DataLoss names the number.
absl::StatusOr<Person> decode_person(UserNumber number, std::string_view bytes);

}  // namespace vitrine::identity
