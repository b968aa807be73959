#include "server/http/user_token.h"

#include <gtest/gtest.h>

#include <vector>

namespace vitrine::http {
namespace {

constexpr TimeMs k_now_ms = 1'795'000'000'000;
constexpr std::int64_t k_in_an_hour_s = k_now_ms / 1000 + 3600;

class UserTokenTest : public testing::Test {
 protected:
  std::string_view state(std::string_view token, std::string_view user_id = "ann") const {
    return name_of(check_user_token(token, user_id, secrets_, k_now_ms));
  }
  std::vector<std::string> secrets_ = {"vis_new", "vis_old"};
};

// Made by: printf '1795003600:ann' | openssl dgst -sha256 -hmac vis_new
TEST_F(UserTokenTest, IsWhatAnyBackendCanMake) {
  EXPECT_EQ(make_user_token("vis_new", "ann", k_in_an_hour_s),
            "1795003600.287f16260ee946c4319d3a316093da5b21657ee23d87b7fe4b1b95842fb8b453");
  EXPECT_EQ(state(make_user_token("vis_new", "ann", k_in_an_hour_s)), "valid");
}

TEST_F(UserTokenTest, BothSecretsAreGoodWhileOneReplacesTheOther) {
  EXPECT_EQ(state(make_user_token("vis_old", "ann", k_in_an_hour_s)), "valid");
  EXPECT_EQ(state(make_user_token("vis_other", "ann", k_in_an_hour_s)), "invalid");
  secrets_.clear();
  EXPECT_EQ(state(make_user_token("vis_new", "ann", k_in_an_hour_s)), "invalid");
}

TEST_F(UserTokenTest, IsForOnePersonAndUntilItExpires) {
  const std::string token = make_user_token("vis_new", "ann", k_in_an_hour_s);
  EXPECT_EQ(state(token, "bob"), "invalid");
  EXPECT_EQ(state(token, ""), "missing");
  EXPECT_EQ(state("", "ann"), "missing");
  EXPECT_EQ(state(make_user_token("vis_new", "ann", k_now_ms / 1000)), "expired");
  EXPECT_EQ(state(make_user_token("vis_new", "ann", k_now_ms / 1000 + 1)), "valid");
  EXPECT_EQ(state(make_user_token("vis_new", "ann", -5)), "expired");
  const std::int64_t latest_s = (k_now_ms + k_user_token_ahead_ms_max) / 1000;
  EXPECT_EQ(state(make_user_token("vis_new", "ann", latest_s)), "valid");
  EXPECT_EQ(state(make_user_token("vis_new", "ann", latest_s + 1)), "invalid");
}

TEST_F(UserTokenTest, NothingElseIsAToken) {
  const std::string token = make_user_token("vis_new", "ann", k_in_an_hour_s);
  std::string later = token;
  later[9] = '9';
  EXPECT_EQ(state(later), "invalid") << "the time is signed";
  std::string tampered = token;
  tampered.back() = tampered.back() == '0' ? '1' : '0';
  for (const std::string& wrong :
       {tampered, token.substr(1), token + "0", token.substr(0, 11), std::string("."),
        std::string("x.y"), std::string(500, '1'), "+" + token, " " + token,
        "99999999999999999999" + token.substr(10)}) {
    EXPECT_EQ(state(wrong), "invalid") << wrong;
  }
}

// The time ends at the colon: no user id can lend its digits to it.
TEST_F(UserTokenTest, DigitsOfAnIdAreNotTakenForTime) {
  const std::string token = make_user_token("vis_new", "1:ann", k_in_an_hour_s);
  EXPECT_EQ(state(token, "ann"), "invalid");
  EXPECT_EQ(state(token, "1:ann"), "valid");
}

}  // namespace
}  // namespace vitrine::http
