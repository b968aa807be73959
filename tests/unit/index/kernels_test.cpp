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

struct CodedBlock {
  std::size_t eights;
  std::vector<Line> lines;

  CodedBlock(std::size_t dimension_eights, Random& random)
      : eights(dimension_eights), lines(dimension_eights * 4 + 4) {
    for (std::size_t i = 0; i < eights * 256; ++i) {
      bytes()[i] = static_cast<std::uint8_t>(random.below(256));
    }
    for (std::size_t row = 0; row < k_block_rows; ++row) {
      lines[eights * 4 + row / 16].values[row % 16] = static_cast<float>(random.uniform());
    }
  }
  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(lines.data()); }
  int code(std::size_t row, std::size_t j) {
    const int two = bytes()[j / 8 * 256 + row * 4 + j % 4];
    return (j % 8 < 4 ? two % 16 : two / 16) - 8;
  }
  float scale(std::size_t row) { return lines[eights * 4 + row / 16].values[row % 16]; }
};

struct Coded {
  std::vector<std::int8_t> codes;
  CodedQuery query;

  Coded(std::vector<std::int8_t> numbers, float threshold)
      : codes(std::move(numbers)),
        query{codes.data(), -8 * std::accumulate(codes.begin(), codes.end(), 0), threshold} {}
};

std::vector<std::int8_t> random_codes(std::size_t count, Random& random) {
  std::vector<std::int8_t> codes(count);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(int(random.below(255)) - 127);
  return codes;
}

TEST(KernelsTest, EverySetScoresCodedRowsAsPlainArithmeticDoes) {
  Random random(4);
  for (const std::size_t eights : {1U, 2U, 8U, 17U}) {
    CodedBlock block(eights, random);
    for (std::size_t count = 1; count <= Kernels::k_coded_queries_max; ++count) {
      std::vector<Coded> coded;
      std::vector<CodedQuery> queries;
      for (std::size_t q = 0; q < count; ++q) {
        coded.emplace_back(random_codes(eights * 8, random), float(random.below(2000)));
        queries.push_back(coded.back().query);
      }
      for (const Kernels& kernels : supported_kernels()) {
        std::vector<float> scores(count * k_block_rows);
        std::vector<std::uint64_t> wanted(count);
        kernels.score_coded(block.bytes(), eights, queries.data(), count, scores.data(),
                            wanted.data());
        for (std::size_t q = 0; q < count; ++q) {
          for (std::size_t row = 0; row < k_block_rows; ++row) {
            int sum = 0;
            for (std::size_t j = 0; j < eights * 8; ++j) {
              sum += block.code(row, j) * int{coded[q].codes[j]};
            }
            const float score = block.scale(row) * static_cast<float>(sum);
            const bool is_wanted = ((wanted[q] >> row) & 1U) != 0;
            ASSERT_EQ(is_wanted, score > queries[q].threshold) << kernels.name;
            if (!is_wanted) continue;
            ASSERT_EQ(scores[q * k_block_rows + row], score) << kernels.name;
          }
        }
      }
    }
  }
}

TEST(KernelsTest, NoSetSaturatesOnTheLargestCodes) {
  Random random(5);
  constexpr std::size_t eights = 512;
  CodedBlock block(eights, random);
  std::fill_n(block.bytes(), eights * 256, std::uint8_t{255});
  const Coded coded(std::vector<std::int8_t>(eights * 8, 127), 0);
  for (const Kernels& kernels : supported_kernels()) {
    std::vector<float> scores(k_block_rows);
    std::uint64_t wanted = 0;
    kernels.score_coded(block.bytes(), eights, &coded.query, 1, scores.data(), &wanted);
    for (std::size_t row = 0; row < k_block_rows; ++row) {
      EXPECT_EQ(scores[row], block.scale(row) * static_cast<float>(eights * 8 * 7 * 127))
          << kernels.name;
    }
  }
}

TEST(KernelsTest, EverySetCountsCommonBits) {
  const std::uint64_t a[] = {~std::uint64_t{0}, 0b1100, 1};
  const std::uint64_t b[] = {0xFF00, 0b0110, 1};
  for (const Kernels& kernels : supported_kernels()) {
    EXPECT_EQ(kernels.count_common(a, b, 0), 0U) << kernels.name;
    EXPECT_EQ(kernels.count_common(a, b, 2), 9U) << kernels.name;
    EXPECT_EQ(kernels.count_common(a, b, 3), 10U) << kernels.name;
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
