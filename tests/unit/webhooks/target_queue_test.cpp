#include "server/webhooks/target_queue.h"

#include <gmock/gmock.h>

namespace vitrine::webhooks {
namespace {

constexpr TimeMs k_now_ms = 1'790'000'000'000;

PostOutcome answered(int status) { return {.http_status = status, .error = {}, .duration_ms = 1}; }

class TargetQueueTest : public testing::Test {
 protected:
  void add(std::uint64_t number, std::uint32_t user) {
    queue_.add({.number = number,
                .id = std::to_string(number),
                .type = "segment.entered",
                .segment = "vip",
                .user = UserNumber(user),
                .time_ms = k_now_ms,
                .since_ms = k_now_ms,
                .due_ms = k_now_ms});
  }
  std::vector<std::uint64_t> take_all(TimeMs now_ms) {
    std::vector<std::uint64_t> numbers;
    while (auto taken = queue_.take(now_ms)) {
      numbers.push_back(taken->number);
      taken_[taken->number] = *taken;
    }
    return numbers;
  }
  TargetQueue::Ended end(std::uint64_t number, int status, TimeMs now_ms = k_now_ms) {
    return queue_.end(taken_.at(number), answered(status), now_ms);
  }

  RetryOptions options_{.wait_ms = 1000, .wait_ms_max = 60'000, .attempts_max = 3, .dead_max = 2};
  TargetQueue queue_{options_};
  std::map<std::uint64_t, Delivery> taken_;
};

TEST_F(TargetQueueTest, APersonIsToldInOrderAndOthersBesideThem) {
  add(1, 7);
  add(2, 7);
  add(3, 8);
  EXPECT_THAT(take_all(k_now_ms), testing::ElementsAre(1, 3));
  EXPECT_EQ(end(1, 200).kind, TargetQueue::Ended::Kind::delivered);
  EXPECT_THAT(take_all(k_now_ms), testing::ElementsAre(2));
}

TEST_F(TargetQueueTest, WhatFailsHoldsUpThatPersonOnlyAndWaitsLongerEachTime) {
  add(1, 7);
  add(2, 7);
  add(3, 8);
  take_all(k_now_ms);
  EXPECT_EQ(end(1, 500).kind, TargetQueue::Ended::Kind::again);
  end(3, 204);
  EXPECT_THAT(take_all(k_now_ms + 999), testing::IsEmpty());
  EXPECT_EQ(queue_.next_ms(), k_now_ms + 1000);
  EXPECT_THAT(take_all(k_now_ms + 1000), testing::ElementsAre(1));
  end(1, 0, k_now_ms + 1000);
  EXPECT_THAT(take_all(k_now_ms + 2999), testing::IsEmpty());
  EXPECT_THAT(take_all(k_now_ms + 3000), testing::ElementsAre(1));
  end(1, 200, k_now_ms + 3000);
  EXPECT_THAT(take_all(k_now_ms + 3000), testing::ElementsAre(2));
}

TEST_F(TargetQueueTest, AfterTheLastAttemptItIsGivenUpAndTheNextIsTold) {
  add(1, 7);
  add(2, 7);
  TimeMs now_ms = k_now_ms;
  for (int attempt = 0; attempt < 3; ++attempt, now_ms += 60'000) {
    ASSERT_THAT(take_all(now_ms), testing::ElementsAre(1));
    EXPECT_EQ(end(1, 404, now_ms).kind,
              attempt < 2 ? TargetQueue::Ended::Kind::again : TargetQueue::Ended::Kind::dead);
  }
  EXPECT_THAT(queue_.dead(), testing::SizeIs(1));
  EXPECT_EQ(queue_.dead().begin()->second.http_status, 404);
  EXPECT_THAT(take_all(now_ms), testing::ElementsAre(2));
}

TEST_F(TargetQueueTest, GivenUpOnesMakeRoomForNewerOnes) {
  for (std::uint32_t number = 1; number <= 3; ++number) {
    queue_.add_dead({.number = number, .id = "", .type = "", .segment = "", .error = ""});
  }
  add(9, 7);
  TargetQueue::Ended last;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TimeMs now_ms = k_now_ms + attempt * TimeMs{60'000};
    take_all(now_ms);
    last = end(9, 500, now_ms);
  }
  EXPECT_EQ(last.dropped_dead, 1U);
  EXPECT_TRUE(queue_.dead().contains(9));
}

TEST_F(TargetQueueTest, OneThatKeepsFailingIsTriedOneAtATimeWithRestsBetween) {
  for (std::uint32_t user = 1; user <= 20; ++user) add(user, user);
  const std::vector<std::uint64_t> first = take_all(k_now_ms);
  EXPECT_THAT(first, testing::SizeIs(TargetQueue::k_in_flight_max));
  for (const std::uint64_t number : first) end(number, 503);
  EXPECT_THAT(take_all(k_now_ms), testing::IsEmpty()) << "it rests";
  const std::vector<std::uint64_t> probe = take_all(*queue_.next_ms());
  ASSERT_THAT(probe, testing::SizeIs(1));
  end(probe.front(), 200, *queue_.next_ms());
  EXPECT_GT(take_all(k_now_ms + 60'000).size(), 1U) << "it is well again";
}

TEST_F(TargetQueueTest, ARestThatTheReceiverAsksForHoldsForEverybodyAndPastASuccess) {
  add(1, 7);
  add(2, 8);
  add(3, 9);
  take_all(k_now_ms);
  queue_.end(taken_.at(1), {.http_status = 429, .retry_after_ms = 30'000}, k_now_ms);
  end(2, 200);
  add(4, 10);
  EXPECT_THAT(take_all(k_now_ms + 29'999), testing::IsEmpty());
  EXPECT_EQ(queue_.next_ms(), k_now_ms + 30'000);
  EXPECT_THAT(take_all(k_now_ms + 30'000), testing::UnorderedElementsAre(1, 4));

  queue_.end(taken_.at(3), {.http_status = 503, .retry_after_ms = 40 * k_day_ms}, k_now_ms);
  add(5, 11);
  EXPECT_EQ(queue_.next_ms(), k_now_ms + TargetQueue::k_asked_rest_ms_max) << "no longer than that";
}

TEST_F(TargetQueueTest, WhoIsForgottenIsToldOfNoMore) {
  add(1, 7);
  add(2, 7);
  add(3, 8);
  EXPECT_THAT(take_all(k_now_ms), testing::ElementsAre(1, 3));
  EXPECT_THAT(queue_.forget({UserNumber(7)}).waiting, testing::ElementsAre(1, 2));
  EXPECT_EQ(end(1, 500).kind, TargetQueue::Ended::Kind::forgotten);
  end(3, 200);
  EXPECT_THAT(take_all(k_now_ms + 100'000), testing::IsEmpty());
  EXPECT_EQ(queue_.waiting(), 0U);
}

}  // namespace
}  // namespace vitrine::webhooks
