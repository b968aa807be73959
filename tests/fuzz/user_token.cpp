// Tokens that claim to be signed: the first line is the person, the second the token. Nobody finds
// a signature by chance, and a made one holds for its person, its secret and its time alone.
#include "server/http/user_token.h"

#include <array>
#include <string>

#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

constexpr std::int64_t k_now_s = 1'790'000'000;
const std::array<std::string, 2> k_secrets = {"vis_new", "vis_old"};

UserTokenState check(std::string_view token, std::string_view user_id) {
  return check_user_token(token, user_id, k_secrets, k_now_s * k_second_ms);
}

void check_claim(std::string_view user_id, std::string_view token) {
  const UserTokenState state = check(token, user_id);
  if (user_id.empty() || token.empty()) {
    CHECK(state == UserTokenState::missing, "what is not there is missing");
    return;
  }
  if (state == UserTokenState::invalid) return;
  const std::string expires(token.substr(0, token.find('.')));
  bool is_ours = false;
  for (const std::string& secret : k_secrets) {
    const std::string made = make_user_token(secret, user_id, k_now_s);
    is_ours |= expires == std::to_string(k_now_s) && token == made;
  }
  CHECK(is_ours || expires != std::to_string(k_now_s), "nobody signs without a secret");
}

// The bytes as a person and as a secret of somebody else.
void check_made(std::string_view user_id, std::string_view other) {
  if (user_id.empty()) return;
  const std::string token = make_user_token(k_secrets[1], user_id, k_now_s + 60);
  CHECK(check(token, user_id) == UserTokenState::valid, "what is signed is valid");
  CHECK(other == user_id || other.empty() || check(token, other) == UserTokenState::invalid,
        "a token is for one person");
  const std::string old = make_user_token(k_secrets[0], user_id, k_now_s - 60);
  CHECK(check(old, user_id) == UserTokenState::expired, "a token ends");
  // HMAC fills a short key up with zeros (RFC 2104): with them at its end it is the same key.
  const std::string_view key = other.substr(0, other.find_last_not_of('\0') + 1);
  if (key == k_secrets[0] || key == k_secrets[1]) return;
  CHECK(check(make_user_token(other, user_id, k_now_s + 60), user_id) == UserTokenState::invalid,
        "another secret signs nothing");
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input = vitrine::fuzz::text_of(bytes, size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, end);
  const std::string_view second = input.substr(std::min(end + 1, input.size()));
  vitrine::http::check_claim(first, second);
  vitrine::http::check_made(first, second);
  return 0;
}
