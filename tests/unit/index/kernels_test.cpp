#include "index/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace vitrine::index {
namespace {

struct alignas(64) Line {
  float values[16];
};

struct Table {
  std::size_t stride = 0;
  std::vector<Line> lines;

  const float* row(std::size_t row) const { return lines[row * stride / 16].values; }
};

Table random_table(std::size_t rows, std::size_t stride, Random& random) {
  Table table{stride, std::vector<Line>(rows * stride / 16)};
  for (Line& line : table.lines) {
    for (float& value : line.values) value = static_cast<float>(random.normal());
  }
  return table;
}

TEST(KernelsTest, ThePlainSetIsAlwaysThereAndFirst) {
  EXPECT_EQ(supported_kernels().front().name, "portable");
  EXPECT_EQ(best_kernels().name, supported_kernels().back().name);
}

TEST(KernelsTest, ThePlainSetComputesInnerProducts) {
  Random random(1);
  const Table rows = random_table(64, 48, random);
  const Table query = random_table(1, 48, random);
  float scores[k_block_rows];

  supported_kernels().front().score_block(query.row(0), rows.row(0), 48, 64, scores);

  for (std::size_t row = 0; row < 64; ++row) {
    const double expected =
        std::inner_product(query.row(0), query.row(0) + 48, rows.row(row), 0.0, std::plus<>(),
                           [](float a, float b) { return double{a} * double{b}; });
    EXPECT_NEAR(scores[row], expected, 1e-5 * (1 + std::abs(expected)));
  }
}

TEST(KernelsTest, EverySetGivesTheSameScoresToTheLastBit) {
  Random random(2);
  for (const std::size_t stride : {16U, 32U, 64U, 112U, 256U}) {
    const Table rows = random_table(64, stride, random);
    const Table query = random_table(1, stride, random);
    for (const std::size_t count : {0U, 1U, 3U, 4U, 7U, 63U, 64U}) {
      std::vector<std::uint32_t> picks(count);
      for (std::uint32_t& pick : picks) pick = static_cast<std::uint32_t>(random.below(64));
      std::vector<float> block(count), picked(count), other_block(count), other_picked(count);
      const Kernels& judge = supported_kernels().front();
      judge.score_block(query.row(0), rows.row(0), stride, count, block.data());
      judge.score_picks(query.row(0), rows.row(0), stride, picks.data(), count, picked.data());
      for (const Kernels& kernels : supported_kernels()) {
        kernels.score_block(query.row(0), rows.row(0), stride, count, other_block.data());
        kernels.score_picks(query.row(0), rows.row(0), stride, picks.data(), count,
                            other_picked.data());
        ASSERT_EQ(other_block, block) << kernels.name << " stride " << stride;
        ASSERT_EQ(other_picked, picked) << kernels.name << " stride " << stride;
      }
    }
  }
}

TEST(KernelsTest, EverySetMarksTheSameScoresAsGoodEnough) {
  Random random(3);
  float scores[k_block_rows];
  for (float& score : scores) score = static_cast<float>(random.below(5));
  scores[9] = std::nanf("");
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < k_block_rows; ++i) {
    expected |= static_cast<std::uint64_t>(scores[i] >= 2.0F) << i;
  }
  for (const Kernels& kernels : supported_kernels()) {
    EXPECT_EQ(kernels.at_least(scores, 2.0F), expected) << kernels.name;
  }
}

}  // namespace
}  // namespace vitrine::index
