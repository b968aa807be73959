// Headers and queries that claim to hold a key, lists of scopes, and tokens of positions.
#include "server/http/auth.h"

#include "server/collect/collector.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

// One key, whose secret nobody finds by chance.
class OneKey final : public Authenticator {
 public:
  std::optional<KeyInfo> find(std::string_view bearer_key) const override {
    if (bearer_key != "vk_public_key") return std::nullopt;
    return KeyInfo{.id = "k1", .scopes = {Scope::collect}, .origins = {"https://shop.example"}};
  }
  bool allows_origin(std::string_view origin) const override {
    return origin == "https://shop.example";
  }
};

void authorize(std::string_view input) {
  const OneKey keys;
  const auto policy = AccessPolicy::with_keys(keys);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view origin = input.substr(std::min(end + 1, input.size()));
  Request request;
  request.headers.add("Authorization", input.substr(0, end));
  if (!origin.empty()) request.headers.add("Origin", origin);
  CHECK(!policy.authorize(request, Scope::admin).ok(), "a public key never administrates");
  const bool is_let_in = policy.authorize(request, Scope::collect).ok();
  CHECK(!is_let_in || input.find("vk_public_key") != std::string_view::npos,
        "nobody gets in without a key");
  CHECK(!is_let_in || origin.empty() || origin == "https://shop.example",
        "pages of other origins do not get in");
  static_cast<void>(AccessPolicy::open().authorize(request, Scope::collect));
}

void parse(std::string_view input) {
  if (const auto scopes = Scopes::parse(input); scopes.ok()) {
    const auto again = Scopes::parse(scopes->text());
    CHECK(again.ok() && *again == *scopes, "scopes are read as they are written");
  }
  if (const auto position = collect::position_of(input); position.ok()) {
    CHECK(collect::position_of(collect::token_of(*position)).value() == *position,
          "a token is read as it is written");
  }
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view input = vitrine::fuzz::text_of(bytes, size);
  if (vitrine::fuzz::take_choice(input) % 2 == 0) {
    vitrine::http::authorize(input);
  } else {
    vitrine::http::parse(input);
  }
  return 0;
}
