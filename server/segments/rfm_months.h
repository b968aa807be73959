// How customers moved between the groups of recency, frequency and spend, month by month.
//
// Thread-safe (values; rfm_months() reads while the log is followed).
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <vector>

#include "server/identity/identity_book.h"
#include "server/profiles/profile_book.h"
#include "server/segments/rfm.h"

namespace vitrine::segments {

struct RfmMonth {
  static constexpr std::size_t k_months_max = 24;

  TimeMs from_ms = 0;
  TimeMs to_ms = 0;  // of the last month the day that was asked for, else the next one's beginning
  std::array<std::size_t, 8> people{};  // by group at its end, in the order of rfm_groups()
  // By the group at its beginning, then at its end; who was not known then is in none.
  std::array<std::array<std::size_t, 8>, 8> moved{};
};

// The months up to `as_of_ms`, oldest first; scores are those of each day. At least one month.
absl::StatusOr<std::vector<RfmMonth>> rfm_months(const profiles::ProfileBook& profiles,
                                                 const identity::IdentityBook& identities,
                                                 TimeMs as_of_ms, std::size_t count);

}  // namespace vitrine::segments
