#include "base/published.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace vitrine {
namespace {

struct Pair {
  int a, b;
};

TEST(PublishedTest, AReaderKeepsTheVersionItTook) {
  Published<Pair> published(std::make_shared<const Pair>(Pair{1, 1}));
  const auto taken = published.current();
  published.publish(std::make_shared<const Pair>(Pair{2, 2}));
  EXPECT_EQ(taken->a, 1);
  EXPECT_EQ(published.current()->a, 2);
}

TEST(PublishedTest, NobodySeesHalfAValue) {
  Published<Pair> published(std::make_shared<const Pair>(Pair{0, 0}));
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 2; ++t) {
      readers.emplace_back([&] {
        while (!done) {
          const auto value = published.current();
          if (value->a != value->b) ++torn;
        }
      });
    }
    for (int i = 1; i <= 20'000; ++i) published.publish(std::make_shared<const Pair>(Pair{i, i}));
    done = true;
  }
  EXPECT_EQ(torn, 0);
}

TEST(PublishedDeathTest, NothingCannotBePublished) {
  Published<Pair> published(std::make_shared<const Pair>(Pair{0, 0}));
  EXPECT_DEATH(published.publish(nullptr), "publish a value");
}

}  // namespace
}  // namespace vitrine
