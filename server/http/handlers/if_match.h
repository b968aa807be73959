// If-Match: the version a change was made from.
//
// Pure function; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>

#include "server/http/request.h"

namespace vitrine::http {

// Nothing when the client does not mind: no header, or *. InvalidArgument for what is no version.
absl::StatusOr<std::optional<std::uint64_t>> expected_version(const Request& request);

}  // namespace vitrine::http
