// Unpacks what was packed with gzip or deflate, as HTTP means both: the door to zlib for bodies.
//
// Thread-safe. Offers the processor to other threads again and again: bodies are made to take long.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace vitrine {

// Both forms are told apart by their first bytes: gzip (RFC 1952, several members too), zlib (RFC
// 1950) and bare deflate (RFC 1951), which some senders call deflate as well.
// Errors   InvalidArgument: not packed so, or cut short; OutOfRange: more than `max_bytes` come
//          out, noticed while unpacking, before more is held than that
absl::StatusOr<std::string> inflate(std::string_view packed, std::size_t max_bytes);

// Whether the bytes begin as gzip does.
bool is_gzip(std::string_view bytes);

}  // namespace vitrine
