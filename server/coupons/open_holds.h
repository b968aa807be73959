// Whether what the ledger holds is what open reservations and grants hold, account by account.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>

#include "server/store/database.h"

namespace vitrine::coupons {

struct OpenHolds {
  std::uint64_t reservations = 0;
  std::uint64_t grants = 0;
  std::uint64_t accounts = 0;
};

// DataLoss names an account whose held balance is another sum. Nobody may write meanwhile.
absl::StatusOr<OpenHolds> check_open_holds(const store::Database& database);

}  // namespace vitrine::coupons
