// One answer as it was given: what was shown where, to whom, by which model.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace vitrine::decisions {

struct ShownProduct {
  std::string product_id;
  std::string source;
  float score = 0;
  std::optional<double> propensity;  // of a place drawn by chance
};

struct Decision {
  std::string recommendation_id;  // a ULID: its first ten characters are the time
  TimeMs time_ms = 0;
  std::uint64_t sequence = 0;  // of writing, from 1, without gaps
  std::string placement;
  std::uint64_t placement_version = 0;
  std::string model_version;  // empty while there was no model
  UserNumber user;            // k_nobody for somebody unknown, or not to be known
  std::vector<ShownProduct> shown;

  // From 0; nothing when the product was not shown.
  std::optional<std::size_t> place_of(std::string_view product_id) const;
};

std::string encode(const Decision& decision);  // all but the id, which is its key
// DataLoss when the bytes are no decision.
absl::StatusOr<Decision> decode_decision(std::string_view recommendation_id,
                                         std::string_view bytes);

// The time in a ULID; nothing for another text.
std::optional<TimeMs> time_in_ulid(std::string_view ulid);
// The first ten characters of every ULID of that time: where a walk begins.
std::string ulid_time(TimeMs time_ms);

}  // namespace vitrine::decisions
