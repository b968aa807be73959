#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace vitrine {
namespace {

TEST(BoundedQueueTest, RefusesWhatDoesNotFitAndLeavesItWithTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  ASSERT_TRUE(queue.try_push(std::make_unique<int>(1)));
  ASSERT_TRUE(queue.try_push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);

  EXPECT_FALSE(queue.try_push(std::move(third)));

  ASSERT_NE(third, nullptr);
  EXPECT_EQ(*third, 3);
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

TEST(BoundedQueueTest, LosesNothingBetweenThreads) {
  BoundedQueue<int> queue(16);
  constexpr int k_each = 5000;
  std::atomic<long> sum = 0;
  {
    std::jthread consumer([&] {
      for (auto taken = queue.pop_up_to(8); !taken.empty(); taken = queue.pop_up_to(8)) {
        for (const int value : taken) sum += value;
      }
    });
    {
      std::vector<std::jthread> producers;
      for (int t = 0; t < 3; ++t) {
        producers.emplace_back([&] {
          for (int i = 1; i <= k_each; ++i) {
            while (!queue.try_push(int{i})) std::this_thread::yield();
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
