#include "server/http/admission.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

namespace vitrine::http {
namespace {

using recommend::Effort;
using ::testing::HasSubstr;

class AdmissionTest : public ::testing::Test {
 protected:
  static constexpr TimeMs k_deadline_ms = 100;

  auto admit(std::int64_t waited_ms, std::string_view key = "") {
    now_us_ += 100;
    return admission_.admit(key, waited_ms * 1000, now_us_);
  }
  // A queue of 26 ms has stood for as long as makes an overload.
  void overload() {
    for (int i = 0; i < 300; ++i) admit(26);
  }

  Metrics metrics_;
  Admission admission_{k_deadline_ms, metrics_};
  std::int64_t now_us_ = 1'000'000'000;
};

TEST_F(AdmissionTest, WhoDoesNotWaitIsGivenEverything) {
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(admit(i % 26), Effort::whole);
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_recommend_wait_seconds_count 10000"));
}

TEST_F(AdmissionTest, TheLongerTheWaitTheLessIsSpentUntilNothingIs) {
  overload();
  EXPECT_EQ(admit(25), Effort::whole);
  EXPECT_EQ(admit(26), Effort::lookups);
  EXPECT_EQ(admit(37), Effort::lookups);
  EXPECT_EQ(admit(38), Effort::fallback);
  EXPECT_EQ(admit(50), Effort::fallback);
  EXPECT_EQ(admit(51), std::nullopt);
  EXPECT_EQ(admit(5'000), std::nullopt);
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_recommend_shed_total{to=\"refused\"} 2"));
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_recommend_shed_total{to=\"fallback\"} 2"));
}

TEST_F(AdmissionTest, WhatAShortPauseLeftIsAnsweredByTheFallback) {
  for (int i = 0; i < 200; ++i) EXPECT_EQ(admit(400), Effort::fallback);
  now_us_ += 1'000'000;
  EXPECT_EQ(admit(400), Effort::fallback) << "another pause";
}

// Ten requests of one key for each of another, with a queue that stays long.
TEST_F(AdmissionTest, ANoisyKeyMakesRoomForAQuietOne) {
  std::map<std::string_view, int> asked;
  std::map<std::string_view, int> refused;
  overload();
  for (int i = 0; i < 22'000; ++i) {
    const std::string_view key = i % 11 == 0 ? "quiet" : "noisy";
    ++asked[key];
    refused[key] += admit(40, key) ? 0 : 1;
  }
  EXPECT_LT(refused["quiet"], asked["quiet"] / 20);
  EXPECT_GT(refused["noisy"], asked["noisy"] / 2);
}

TEST_F(AdmissionTest, WhoAsksLittleIsAnsweredAsLongAsTheFallbackIsInTime) {
  for (int i = 0; i < 300; ++i) admit(26, "noisy");
  EXPECT_EQ(admit(85, "quiet"), Effort::fallback);
  EXPECT_EQ(admit(90, "quiet"), std::nullopt);
  EXPECT_EQ(admit(51, "noisy"), std::nullopt);
}

TEST_F(AdmissionTest, KeysThatAskAlikeAreRefusedAlike) {
  std::map<std::string_view, int> admitted;
  overload();
  for (int i = 0; i < 20'000; ++i) {
    const std::string_view key = i % 2 == 0 ? "a" : "b";
    admitted[key] += admit(55, key) ? 1 : 0;
  }
  EXPECT_NEAR(admitted["a"], admitted["b"], 200);
}

}  // namespace
}  // namespace vitrine::http
