#include "server/http/wrong_codes.h"

#include <gtest/gtest.h>

namespace vitrine::http {
namespace {

constexpr TimeMs k_now_ms = 1'790'000'000'000;
constexpr std::uint64_t k_peer = 7;

TEST(WrongCodesTest, AfterTooManyNobodyIsAnsweredUntilTheWindowEnds) {
  WrongCodes codes;
  codes.note(k_peer, "eve", WrongCodes::k_wrong_max - 1, k_now_ms);
  EXPECT_TRUE(codes.may_try(k_peer, "eve", k_now_ms));
  codes.note(k_peer, "eve", 1, k_now_ms + 1);
  EXPECT_FALSE(codes.may_try(k_peer, "eve", k_now_ms + 1));
  EXPECT_FALSE(codes.may_try(k_peer, "", k_now_ms + 1)) << "the address by itself";
  EXPECT_FALSE(codes.may_try(k_peer + 1, "eve", k_now_ms + 1)) << "the user from elsewhere";
  EXPECT_FALSE(codes.may_try(k_peer, "eve", k_now_ms + WrongCodes::k_window_ms - 1));
  EXPECT_TRUE(codes.may_try(k_peer, "eve", k_now_ms + WrongCodes::k_window_ms));
}

TEST(WrongCodesTest, OthersAndNobodyInParticularAreNotCounted) {
  WrongCodes codes;
  codes.note(k_peer, "eve", WrongCodes::k_wrong_max, k_now_ms);
  EXPECT_TRUE(codes.may_try(k_peer + 1, "mallory", k_now_ms));
  codes.note(0, "", 10 * WrongCodes::k_wrong_max, k_now_ms);
  EXPECT_TRUE(codes.may_try(0, "", k_now_ms)) << "this machine's own backends";
}

}  // namespace
}  // namespace vitrine::http
