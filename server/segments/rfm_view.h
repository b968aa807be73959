// How customers spread over recency, frequency and spend on a day, and who moved since another.
//
// Thread-safe (values; rfm_view() reads while the log is followed).
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <string>

#include "base/clock.h"
#include "server/identity/identity_book.h"
#include "server/profiles/profile_book.h"
#include "server/segments/rfm.h"

namespace vitrine::segments {

struct RfmTally {
  std::size_t people = 0;
  double spend = 0;  // net, of the 365 days before, in RfmView::currency
};

struct RfmView {
  TimeMs as_of_ms = 0;
  TimeMs compared_to_ms = 0;
  RfmBounds bounds = {};      // made for that day
  std::string currency = {};  // of most buyers; what is paid in others is not added
  double spend = 0;           // of all
  std::array<std::array<RfmTally, 5>, 5> grid = {};  // by recency, then frequency: score less 1
  std::array<RfmTally, 8> groups = {};               // in the order of rfm_groups()
  std::array<RfmTally, 8> cells = {};                // in the order of rfm_cells()
  // People by their group then and now; who was not known then is in none.
  std::array<std::array<std::size_t, 8>, 8> moved{};
};

// Of users, not of visitors; orders count as they are known now, less what came back since.
absl::StatusOr<RfmView> rfm_view(const profiles::ProfileBook& profiles,
                                 const identity::IdentityBook& identities, TimeMs as_of_ms,
                                 TimeMs compared_to_ms);

}  // namespace vitrine::segments
