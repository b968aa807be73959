#include "server/segments/due_times.h"

#include <gmock/gmock.h>

namespace vitrine::segments {
namespace {

constexpr TimeMs k_now_ms = 1'790'000'000'000;
constexpr UserNumber k_ann(7);
constexpr UserNumber k_bob(8);

TEST(DueTimesTest, SomebodyIsTakenNotBeforeAndAQuarterOfASecondAfterTheirMoment) {
  for (const TimeMs after_ms : {0, 1, 249, 250, 251, 999}) {
    DueTimes due;
    due.lower(k_ann, k_now_ms + after_ms);
    EXPECT_THAT(due.take(k_now_ms + after_ms - 1), testing::IsEmpty()) << after_ms;
    EXPECT_THAT(due.take(k_now_ms + after_ms + 249), testing::ElementsAre(k_ann)) << after_ms;
    EXPECT_THAT(due.take(k_now_ms + k_day_ms), testing::IsEmpty()) << "taken once";
  }
}

TEST(DueTimesTest, TheEarliestMomentCountsAndWhatIsPastIsDueNow) {
  DueTimes due;
  due.lower(k_ann, k_now_ms + k_hour_ms);
  due.lower(k_ann, k_now_ms + k_minute_ms);
  due.lower(k_ann, k_now_ms + k_day_ms);
  due.lower(k_bob, 5);
  EXPECT_THAT(due.take(k_now_ms), testing::ElementsAre(k_bob));
  EXPECT_THAT(due.take(k_now_ms + k_minute_ms), testing::ElementsAre(k_ann));
  EXPECT_THAT(due.take(k_now_ms + 2 * k_day_ms), testing::IsEmpty());
}

TEST(DueTimesTest, WhatLiesBeyondTheCenturyIsLeftOut) {
  DueTimes due;
  due.lower(k_ann, k_now_ms + 100 * 365 * k_day_ms);
  EXPECT_THAT(due.take(k_now_ms + 200 * 365 * k_day_ms), testing::IsEmpty());
}

}  // namespace
}  // namespace vitrine::segments
