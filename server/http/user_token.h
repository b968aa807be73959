// The word of a shop's backend that a person is who they say they are: "EXPIRES.SIGNATURE", where
// EXPIRES is in Unix seconds and SIGNATURE the HMAC-SHA256, in lower-case hex, of
// "EXPIRES:USER_ID" under an identity secret of the key it is used with.
//
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace vitrine::http {

enum class UserTokenState { missing, valid, expired, invalid };

std::string_view name_of(UserTokenState state);  // "missing"

inline constexpr std::size_t k_user_token_bytes_max = 128;
// A token that is good for longer than this from now on is invalid.
inline constexpr TimeMs k_user_token_ahead_ms_max = 31 * k_day_ms;

// `secret` as it was shown, taken as bytes.
std::string make_user_token(std::string_view secret, std::string_view user_id,
                            std::int64_t expires_s);

// Missing when `token` or `user_id` is empty. Compares in constant time.
UserTokenState check_user_token(std::string_view token, std::string_view user_id,
                                std::span<const std::string> secrets, TimeMs now_ms);

}  // namespace vitrine::http
