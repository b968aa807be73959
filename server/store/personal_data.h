// Everybody who keeps something about people can hand it out and forget it.
//
// Thread-safe: called from the privacy jobs while the server runs.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "server/store/database.h"

namespace vitrine::store {

class PersonalData {
 public:
  virtual ~PersonalData() = default;
  virtual std::string_view name() const = 0;
  // The families this owner answers for.
  virtual std::vector<Family> families() const = 0;
  // One JSON value with everything kept about the person.
  virtual absl::StatusOr<std::string> export_person(UserNumber user) const = 0;
};

}  // namespace vitrine::store
