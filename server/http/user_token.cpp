#include "server/http/user_token.h"

#include <charconv>

#include "base/crypto.h"

namespace vitrine::http {
namespace {

constexpr TimeMs k_second_ms = 1000;

std::string signature_of(std::string_view secret, std::string_view expires,
                         std::string_view user_id) {
  // Digits end at the colon, so that no other person and time make the same text.
  std::string text(expires);
  text.append(":").append(user_id);
  return to_hex(hmac_sha256(secret, text));
}

}  // namespace

std::string_view name_of(UserTokenState state) {
  switch (state) {
    case UserTokenState::missing:
      return "missing";
    case UserTokenState::valid:
      return "valid";
    case UserTokenState::expired:
      return "expired";
    case UserTokenState::invalid:
      break;
  }
  return "invalid";
}

std::string make_user_token(std::string_view secret, std::string_view user_id,
                            std::int64_t expires_s) {
  const std::string expires = std::to_string(expires_s);
  return expires + "." + signature_of(secret, expires, user_id);
}

UserTokenState check_user_token(std::string_view token, std::string_view user_id,
                                std::span<const std::string> secrets, TimeMs now_ms) {
  if (token.empty() || user_id.empty()) return UserTokenState::missing;
  if (token.size() > k_user_token_bytes_max) return UserTokenState::invalid;
  const std::size_t dot = token.find('.');
  if (dot == std::string_view::npos) return UserTokenState::invalid;
  const std::string_view expires = token.substr(0, dot);
  std::int64_t expires_s = 0;
  const auto [end, error] = std::from_chars(expires.begin(), expires.end(), expires_s);
  const std::int64_t latest_s = (now_ms + k_user_token_ahead_ms_max) / k_second_ms;
  if (error != std::errc() || end != expires.end() || expires_s > latest_s) {
    return UserTokenState::invalid;
  }
  bool is_signed = false;
  for (const std::string& secret : secrets) {
    is_signed |=
        equal_in_constant_time(token.substr(dot + 1), signature_of(secret, expires, user_id));
  }
  if (!is_signed) return UserTokenState::invalid;
  return expires_s * k_second_ms > now_ms ? UserTokenState::valid : UserTokenState::expired;
}

}  // namespace vitrine::http
