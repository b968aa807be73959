// Everybody who is in a segment now, page by page. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "server/segments/membership.h"
#include "server/segments/segment_engine.h"

namespace vitrine::segments {

// NotFound: no such segment. Unavailable: it is being built.
absl::Status check_built(const SegmentEngine& engine, std::string_view key);

// NotFound: no such segment.
absl::StatusOr<Membership> all_members(const SegmentEngine& engine, std::string_view key);

}  // namespace vitrine::segments
