#include "index/row_key.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/random.h"

namespace vitrine::index {
namespace {

using ::testing::UnorderedElementsAreArray;

TEST(RowKeyTest, BetterRowsHaveLargerKeys) {
  const std::vector<std::uint64_t> best_first = {key_of(2.5F, 7),    key_of(1e-30F, 1),
                                                 key_of(0, 3),       key_of(0, 4),
                                                 key_of(-1e-30F, 0), key_of(-8, 0xFFFFFFFE)};
  EXPECT_TRUE(std::ranges::is_sorted(best_first, std::greater<>()));
}

TEST(RowKeyTest, AKeyTellsItsScoreAndItsRow) {
  for (const float score : {-3.25F, -1e-38F, 0.0F, 1e-38F, 0.1F, 3e38F}) {
    EXPECT_EQ(score_of(key_of(score, 12345)), score);
    EXPECT_EQ(row_of(key_of(score, 12345)), 12345U);
  }
}

TEST(RowKeyTest, TheTwoZeroesAreEqualScores) {
  EXPECT_GT(key_of(-0.0F, 1), key_of(0.0F, 2));
  EXPECT_GT(key_of(0.0F, 1), key_of(-0.0F, 2));
}

void expect_largest_in_front(std::vector<std::uint64_t> keys, std::size_t count) {
  std::vector<std::uint64_t> sorted = keys;
  std::ranges::sort(sorted, std::greater<>());
  sorted.resize(count);
  select_largest(keys.data(), keys.size(), count);
  keys.resize(count);
  EXPECT_THAT(keys, UnorderedElementsAreArray(sorted)) << count;
}

TEST(RowKeyTest, SelectsTheLargestOfAnyNumberOfKeys) {
  Random random(1);
  for (const std::size_t size : {0U, 1U, 2U, 16U, 17U, 18U, 19U, 100U, 785U, 3000U}) {
    std::vector<std::uint64_t> keys;
    for (std::size_t row = 0; row < size; ++row) {
      keys.push_back(key_of(static_cast<float>(random.normal()), static_cast<std::uint32_t>(row)));
    }
    for (const std::size_t one_in : {1U, 2U, 3U, 50U}) expect_largest_in_front(keys, size / one_in);
  }
}

TEST(RowKeyTest, SelectsFromKeysInOrderAndFromEqualScores) {
  std::vector<std::uint64_t> rising;
  std::vector<std::uint64_t> equal;
  for (std::uint32_t row = 0; row < 1000; ++row) {
    rising.push_back(key_of(static_cast<float>(row), row));
    equal.push_back(key_of(1, row));
  }
  for (const std::size_t count : {0U, 1U, 500U, 999U, 1000U}) {
    expect_largest_in_front(rising, count);
    expect_largest_in_front({rising.rbegin(), rising.rend()}, count);
    expect_largest_in_front(equal, count);
  }
}

}  // namespace
}  // namespace vitrine::index
