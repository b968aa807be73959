// The part of `vitrine export` that writes who is in a segment.
//
// One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "server/app/config.h"

namespace vitrine::app {

// One person a line, as ndjson or csv; beside a server through it. How many there were.
absl::StatusOr<std::uint64_t> export_segment(const Config& config, const std::string& segment,
                                             bool is_csv, std::FILE* file);

}  // namespace vitrine::app
