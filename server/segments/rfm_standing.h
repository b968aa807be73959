// How a person stood as of a day: what recency, frequency and spend are found from.
//
// Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "server/profiles/profile.h"
#include "server/segments/rfm.h"

namespace vitrine::segments {

struct RfmStanding {
  bool is_known = false;  // had done anything by then
  std::uint32_t orders = 0;
  std::optional<RfmFigures> figures = {};
};

// `orders`: all of the person's, oldest first.
RfmStanding standing_at(TimeMs first_seen_ms, std::span<const profiles::OrderSum> orders,
                        TimeMs time_ms);
// Its place among rfm_groups().
std::size_t group_of(const RfmStanding& standing, const RfmBounds& bounds);

}  // namespace vitrine::segments
