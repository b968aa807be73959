// What proves to a receiver that a message is the shop's: the Standard Webhooks specification 1.0.
//
// HMAC-SHA-256 over "id.timestamp.body". Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::webhooks {

// "whsec_" and 32 bytes of chance in base 64.
std::string make_secret();

// The value of the header webhook-signature: "v1,<base 64>" for each secret, with a space between.
// `timestamp` is in seconds. What is no secret signs nothing.
std::string signature(std::span<const std::string> secrets, std::string_view id,
                      std::int64_t timestamp, std::string_view body);

}  // namespace vitrine::webhooks
