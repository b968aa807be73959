#include "base/bounded_queue.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::Pointee;

TEST(BoundedQueueTest, RefusesWhatDoesNotFitAndLeavesItWithTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  std::array<std::unique_ptr<int>, 3> values;
  for (auto& value : values) value = std::make_unique<int>(3);
  ASSERT_TRUE(queue.try_push(std::move(values[0])));
  ASSERT_TRUE(queue.try_push(std::move(values[1])));

  EXPECT_FALSE(queue.try_push(std::move(values[2])));

  EXPECT_THAT(values, ElementsAre(IsNull(), IsNull(), Pointee(3)));
}

TEST(BoundedQueueTest, GivesInOrderUpToTheLimitAndTheRestAfterClose) {
  BoundedQueue<int> queue(10);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.try_push(int{i}));

  EXPECT_EQ(queue.pop_up_to(3), (std::vector{0, 1, 2}));
  queue.close();
  EXPECT_FALSE(queue.try_push(9));
  EXPECT_EQ(queue.pop_up_to(3), (std::vector{3, 4}));
  EXPECT_TRUE(queue.pop_up_to(3).empty());
}

TEST(BoundedQueueTest, APromptValueTakesThePatientOnesBeforeItAlong) {
  constexpr std::chrono::hours k_patience(1);
  BoundedQueue<int> queue(10, k_patience);
  std::jthread producer([&] {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.try_push_patient(int{i}));
    ASSERT_TRUE(queue.try_push(3));
  });
  std::vector<int> taken;
  while (taken.size() < 4) {
    for (const int value : queue.pop_up_to(10)) taken.push_back(value);
  }
  EXPECT_EQ(taken, (std::vector{0, 1, 2, 3}));
}

TEST(BoundedQueueTest, CountsApartWhatIsPrompt) {
  BoundedQueue<int> queue(10, std::chrono::hours(1));
  ASSERT_TRUE(queue.try_push_patient(1));
  EXPECT_EQ(queue.prompt_size(), 0U);
  ASSERT_TRUE(queue.try_push(2));
  ASSERT_TRUE(queue.try_push_patient(3));

  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(queue.prompt_size(), 1U);
  EXPECT_EQ(queue.pop_up_to(2).size(), 2U);
  EXPECT_EQ(queue.prompt_size(), 0U);
}

TEST(BoundedQueueTest, PatientValuesComeAloneOnceTheirPatienceEnds) {
  constexpr std::chrono::milliseconds k_patience(20);
  BoundedQueue<int> queue(10, k_patience);
  ASSERT_TRUE(queue.try_push_patient(1));
  const auto start = std::chrono::steady_clock::now();

  EXPECT_EQ(queue.pop_up_to(10), std::vector{1});
  EXPECT_GE(std::chrono::steady_clock::now() - start, k_patience);
}

TEST(BoundedQueueTest, ClosingEndsThePatience) {
  BoundedQueue<int> queue(10, std::chrono::hours(1));
  ASSERT_TRUE(queue.try_push_patient(1));
  std::jthread closer([&] { queue.close(); });

  EXPECT_EQ(queue.pop_up_to(10), std::vector{1});
  EXPECT_TRUE(queue.pop_up_to(10).empty());
}

TEST(BoundedQueueTest, LosesNothingBetweenThreads) {
  BoundedQueue<int> queue(16, std::chrono::milliseconds(1));
  constexpr int k_each = 5000;
  std::atomic<long> sum = 0;
  {
    std::jthread consumer([&] {
      for (auto taken = queue.pop_up_to(8); !taken.empty(); taken = queue.pop_up_to(8)) {
        for (const int value : taken) sum += value;
      }
    });
    {
      std::array<std::jthread, 3> producers;
      for (std::jthread& producer : producers) {
        producer = std::jthread([&] {
          for (int i = 1; i <= k_each; ++i) {
            const bool is_patient = i % 2 == 0;
            while (!(is_patient ? queue.try_push_patient(int{i}) : queue.try_push(int{i}))) {
              std::this_thread::yield();
            }
          }
        });
      }
    }
    queue.close();
  }
  EXPECT_EQ(sum.load(), 3L * k_each * (k_each + 1) / 2);
}

}  // namespace
}  // namespace vitrine
