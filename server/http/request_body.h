// The bytes of a request's body as they were meant: unpacked, within the limit.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>

#include "server/http/request.h"

namespace vitrine::http {

// More than this, or packed, and a body is read on a thread of its own (see workers.h): unpacking
// the most that is allowed takes longer than other clients should wait for.
constexpr std::size_t k_read_at_once_bytes = std::size_t{64} * 1024;
bool is_long_to_read(const Request& request);

// Takes the body. `Content-Encoding` may be gzip, deflate or identity; gzip is known by its first
// bytes as well.
// Errors   InvalidArgument: another encoding, or bytes that are not packed so; OutOfRange: unpacked
//          it is larger than `max_bytes`
absl::StatusOr<std::string> take_body(Request& request, std::size_t max_bytes);

}  // namespace vitrine::http
