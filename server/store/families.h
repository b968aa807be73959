// Every family there is.
//
// Thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "server/store/database.h"

namespace vitrine::store {

std::span<const Family> all_families();  // in the order of their numbers
std::string_view name_of(Family family);

}  // namespace vitrine::store
