// Customers by the month of their first order, and what they did in the months after it.
//
// Thread-safe (values; cohorts() reads while the log is followed).
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/identity/identity_book.h"
#include "server/profiles/profile_book.h"

namespace vitrine::segments {

struct CohortMonth {
  std::size_t buyers = 0;  // of the cohort, who ordered in the month
  std::size_t orders = 0;
  double spend = 0;  // net, in CohortView::currency
};

// Who ordered again within so many days of the first order.
struct Repurchase {
  std::size_t watched = 0;  // whose days are over
  std::size_t again = 0;    // of these
};

struct Cohort {
  static constexpr std::array<std::int64_t, 3> k_days = {30, 60, 90};

  TimeMs begin_ms = 0;
  std::size_t buyers = 0;            // whose first order was in this month
  std::vector<CohortMonth> months;   // this one, the next, and so on: none that has not begun
  std::array<Repurchase, 3> within;  // by k_days
};

struct CohortView {
  static constexpr std::int64_t k_months_max = 24;

  TimeMs as_of_ms = 0;
  std::string currency = {};    // of most first orders; what is paid in others is not added
  std::vector<Cohort> cohorts;  // the oldest first
};

// Of the `count` months up to `as_of_ms`, the last of which may not be over. Users without
// visitors; orders as they are known now, less what came back since.
absl::StatusOr<CohortView> cohorts(const profiles::ProfileBook& profiles,
                                   const identity::IdentityBook& identities, TimeMs as_of_ms,
                                   std::size_t count);

}  // namespace vitrine::segments
