#include "base/crypto.h"

#include <gtest/gtest.h>

#include <set>

namespace vitrine {
namespace {

TEST(CryptoTest, DigestsMatchThePublishedVectors) {
  // FIPS 180-4 "abc"; RFC 4231 test case 2.
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(CryptoTest, AStreamOfPiecesGivesTheDigestOfTheWhole) {
  Sha256Stream stream;
  stream.add("a");
  stream.add("");
  stream.add("bc");
  EXPECT_EQ(stream.digest(), sha256("abc"));
}

TEST(CryptoTest, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secrets"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
}

TEST(CryptoTest, UlidsAreUniqueAndSortByTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(make_ulid(1'700'000'000'000));
  EXPECT_EQ(seen.size(), 10'000U);
  EXPECT_LT(make_ulid(1'700'000'000'000), make_ulid(1'700'000'000'001));
  // The time part of the example in the ULID specification: 1469918176385 ms is 01ARYZ6S41.
  EXPECT_EQ(make_ulid(1'469'918'176'385).substr(0, 10), "01ARYZ6S41");
}

}  // namespace
}  // namespace vitrine
