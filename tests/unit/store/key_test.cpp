#include "server/store/key.h"

#include <gtest/gtest.h>

#include "base/crypto.h"

namespace vitrine::store {
namespace {

TEST(KeyTest, NumbersSortAsTheyCountAndComeBack) {
  std::string before;
  for (const std::uint64_t number : {0ULL, 1ULL, 255ULL, 256ULL, 65'536ULL, 1ULL << 40, ~0ULL}) {
    const std::string key = key_of(number);
    EXPECT_EQ(key.size(), 8U);
    EXPECT_LT(before, key);
    EXPECT_EQ(number_in(key), number);
    before = key;
  }
  EXPECT_EQ(key_of(std::uint32_t{0x01020304}), "\x01\x02\x03\x04");
  EXPECT_EQ(small_number_in("\x01\x02\x03\x04"), 0x01020304U);
  EXPECT_FALSE(small_number_in("12345").has_value());
  EXPECT_FALSE(number_in("1234567").has_value());
  EXPECT_FALSE(number_in("").has_value());
}

TEST(KeyTest, AHashedKeyDependsOnEveryPart) {
  const std::string key = hashed_key("secret", "user", "shop", "u1");
  EXPECT_EQ(key.size(), k_hashed_key_bytes);
  EXPECT_EQ(key, hashed_key("secret", "user", "shop", "u1"));
  EXPECT_NE(key, hashed_key("other", "user", "shop", "u1"));
  EXPECT_NE(key, hashed_key("secret", "visitor", "shop", "u1"));
  EXPECT_NE(key, hashed_key("secret", "user", "sho", "pu1"));
  EXPECT_NE(key, hashed_key("secret", "user", "shop", "u2"));
}

TEST(KeyTest, AHashedKeyIsTheOneTheHeaderDescribes) {
  const Sha256 digest = hmac_sha256("secret", std::string("event\0shop\0e-1", 14));
  EXPECT_EQ(to_hex(hashed_key("secret", "event", "shop", "e-1")), to_hex(digest).substr(0, 32));
}

}  // namespace
}  // namespace vitrine::store
