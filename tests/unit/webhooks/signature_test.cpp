#include "server/webhooks/signature.h"

#include <gtest/gtest.h>

#include <array>

namespace vitrine::webhooks {
namespace {

// From the specification's own example, and from Python's hmac.
TEST(SignatureTest, IsTheOneOfTheStandardWebhooksSpecification) {
  const std::array<std::string, 1> secrets{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  EXPECT_EQ(
      signature(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SignatureTest, TwoSecretsSignSideBySide) {
  const std::string first = make_secret();
  const std::string second = make_secret();
  EXPECT_NE(first, second);
  const std::array<std::string, 2> both{first, second};
  const std::array<std::string, 1> one{first};
  const std::array<std::string, 1> other{second};
  EXPECT_EQ(signature(both, "a", 1, "b"),
            signature(one, "a", 1, "b") + " " + signature(other, "a", 1, "b"));
}

TEST(SignatureTest, EveryPartOfTheMessageCounts) {
  const std::array<std::string, 1> secrets{make_secret()};
  const std::string whole = signature(secrets, "a", 1, "b");
  EXPECT_NE(whole, signature(secrets, "x", 1, "b"));
  EXPECT_NE(whole, signature(secrets, "a", 2, "b"));
  EXPECT_NE(whole, signature(secrets, "a", 1, "c"));
}

}  // namespace
}  // namespace vitrine::webhooks
