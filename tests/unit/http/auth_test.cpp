#include "server/http/auth.h"

#include <gmock/gmock.h>

#include "base/status.h"

namespace vitrine::http {
namespace {

using ::testing::HasSubstr;

class TwoKeys final : public Authenticator {
 public:
  std::optional<KeyInfo> find(std::string_view bearer_key) const override {
    if (bearer_key == "public") return KeyInfo{"k1", {Scope::collect, Scope::recommend}};
    if (bearer_key == "secret") return KeyInfo{"k2", {Scope::collect, Scope::catalog}};
    if (bearer_key == "root") return KeyInfo{"k3", Scopes::all()};
    return std::nullopt;
  }
};

class AccessTest : public ::testing::Test {
 protected:
  absl::StatusCode with_bearer(std::string_view key, std::optional<Scope> needed) {
    Request request;
    request.headers.add("Authorization", "Bearer " + std::string(key));
    return policy_.authorize(request, needed).code();
  }
  absl::StatusCode with_query(std::string_view key, std::optional<Scope> needed) {
    Request request;
    request.query.emplace_back("key", key);
    return policy_.authorize(request, needed).code();
  }

  TwoKeys keys_;
  AccessPolicy policy_ = AccessPolicy::with_keys(keys_);
};

TEST_F(AccessTest, AKeyOpensWhatItsScopesName) {
  EXPECT_EQ(with_bearer("public", Scope::collect), absl::StatusCode::kOk);
  EXPECT_EQ(with_bearer("public", Scope::catalog), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(with_bearer("secret", Scope::catalog), absl::StatusCode::kOk);
  EXPECT_EQ(with_bearer("secret", Scope::admin), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(with_bearer("root", Scope::catalog), absl::StatusCode::kOk) << "admin contains all";
  EXPECT_EQ(with_bearer("wrong", Scope::collect), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(with_bearer("", Scope::collect), absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessTest, OnlyPublicKeysTravelInTheUrl) {
  EXPECT_EQ(with_query("public", Scope::recommend), absl::StatusCode::kOk);
  EXPECT_EQ(with_query("secret", Scope::collect), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(with_query("root", Scope::collect), absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessTest, WithoutAKeyOnlyOpenRoutesAnswer) {
  Request request;
  EXPECT_EQ(policy_.authorize(request, Scope::recommend).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(policy_.authorize(request, std::nullopt).ok());
  request.headers.add("Authorization", "Basic cm9vdA==");
  EXPECT_EQ(policy_.authorize(request, Scope::recommend).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessTest, TheKeyIsNamedToTheHandlerButNeverInAMessage) {
  Request request;
  request.headers.add("authorization", "bearer secret");
  ASSERT_TRUE(policy_.authorize(request, Scope::catalog).ok());
  EXPECT_EQ(request.key_id, "k2");
  EXPECT_TRUE(request.scopes.allow(Scope::catalog));
  const absl::Status denied = policy_.authorize(request, Scope::admin);
  EXPECT_THAT(std::string(message_of(denied)), HasSubstr("needs the scope admin"));
  EXPECT_THAT(std::string(message_of(denied)), ::testing::Not(HasSubstr("secret")));
}

TEST_F(AccessTest, TheControlSocketMayDoEverything) {
  Request request;
  request.is_control = true;
  ASSERT_TRUE(policy_.authorize(request, Scope::admin).ok());
  EXPECT_TRUE(request.scopes.allow(Scope::privacy));
  ASSERT_TRUE(AccessPolicy::open().authorize(request, Scope::admin).ok()) << "and needs no Host";
}

TEST(OpenAccessTest, ServesThisMachineOnly) {
  const auto code = [](std::string_view host, std::string_view origin) {
    Request request;
    if (!host.empty()) request.headers.add("Host", host);
    if (!origin.empty()) request.headers.add("Origin", origin);
    return AccessPolicy::open().authorize(request, Scope::admin).code();
  };
  EXPECT_EQ(code("localhost:8080", ""), absl::StatusCode::kOk);
  EXPECT_EQ(code("127.0.0.1:8080", "http://localhost:3000"), absl::StatusCode::kOk);
  EXPECT_EQ(code("shop.example", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("localhost", "https://evil.example"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("localhost", "null"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code("", ""), absl::StatusCode::kPermissionDenied);
}

TEST(LoopbackHostTest, TellsThisMachineFromNamesThatLookLikeIt) {
  for (const std::string_view ours :
       {"localhost", "localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(is_loopback_host(ours)) << ours;
  }
  for (const std::string_view theirs :
       {"", "localhost.evil.example", "127.0.0.1.evil.example", "127.evil.example.x", "[::2]",
        "evil.example:127", "localhost:80@evil", "128.0.0.1", "[::1].evil.example"}) {
    EXPECT_FALSE(is_loopback_host(theirs)) << theirs;
  }
}

TEST(ScopesTest, ReadWhatTheyWrite) {
  for (const std::string_view text : {"collect", "collect,recommend", "catalog,models,admin"}) {
    const auto parsed = Scopes::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->text(), text);
  }
  for (const std::string_view wrong : {"", "collect,", "colect", "collect recommend"}) {
    const auto parsed = Scopes::parse(wrong);
    EXPECT_THAT(std::string(message_of(parsed.status())), HasSubstr("collect, recommend, catalog"))
        << wrong;
  }
  EXPECT_TRUE(Scopes({Scope::collect}).are_public());
  EXPECT_FALSE(Scopes({Scope::collect, Scope::models}).are_public());
  EXPECT_FALSE(Scopes().are_public());
}

}  // namespace
}  // namespace vitrine::http
