// The bytes of a request's body as they were meant: unpacked, within the limit.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "server/http/request.h"

namespace vitrine::http {

// Takes the body. `Content-Encoding` may be gzip, deflate or identity; gzip is known by its first
// bytes as well.
// Errors   InvalidArgument: another encoding, or bytes that are not packed so; OutOfRange: unpacked
//          it is larger than `max_bytes`
absl::StatusOr<std::string> take_body(Request& request, std::size_t max_bytes);

}  // namespace vitrine::http
