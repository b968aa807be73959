// Every instruction set's kernels beside plain double loops.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "model/aligned_floats.h"
#include "training/row_kernels.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_lanes = RowKernels::k_lanes;

AlignedFloats random_floats(std::size_t count, Random& random) {
  AlignedFloats floats(count);
  for (float& number : floats) number = static_cast<float>(random.normal());
  return floats;
}

double product(const float* a, const float* b, std::size_t length) {
  double sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += double{a[i]} * b[i];
  return sum;
}

class RowKernelsTest : public ::testing::TestWithParam<const RowKernels*> {
 protected:
  const RowKernels& kernels_ = *GetParam();
  Random random_{11};
};

TEST_P(RowKernelsTest, GatherScalesTheRowsAskedForAndNoOthers) {
  const std::size_t stride = 48;
  const AlignedFloats table = random_floats(40 * stride, random_);
  const AlignedFloats scale = random_floats(stride, random_);
  const std::vector<std::uint32_t> columns{3, 3, 39, 0, 7, 12, 31, 8, 1, 2, 4};
  const AlignedFloats roots = random_floats(columns.size(), random_);
  AlignedFloats z((columns.size() + 1) * stride, 77);
  kernels_.gather(z.data(), table.data(), columns.data(), roots.data(), columns.size(),
                  scale.data(), stride);
  for (std::size_t k = 0; k < columns.size(); ++k) {
    for (std::size_t i = 0; i < stride; ++i) {
      const float expected = table[columns[k] * stride + i] * scale[i] * roots[k];
      EXPECT_NEAR(z[k * stride + i], expected, 1e-6 * std::abs(expected) + 1e-12);
    }
  }
  for (std::size_t i = 0; i < stride; ++i) EXPECT_EQ(z[columns.size() * stride + i], 77);
}

TEST_P(RowKernelsTest, AddRowsIsTheWeightedSumOfAnyNumberOfRows) {
  const std::size_t stride = 32;
  for (const std::size_t count : {0U, 1U, 2U, 7U, 8U, 9U, 31U}) {
    const AlignedFloats z = random_floats(count * stride, random_);
    const AlignedFloats weights = random_floats(count, random_);
    const AlignedFloats before = random_floats(stride, random_);
    AlignedFloats y = before;
    kernels_.add_rows(y.data(), z.data(), weights.data(), count, stride);
    for (std::size_t i = 0; i < stride; ++i) {
      double expected = before[i];
      for (std::size_t k = 0; k < count; ++k) expected += double{weights[k]} * z[k * stride + i];
      EXPECT_NEAR(y[i], expected, 1e-4) << count << " rows";
    }
  }
}

TEST_P(RowKernelsTest, LanesHoldTheTrianglesOfTheirOwnRows) {
  for (const std::size_t stride : {16U, 80U}) {
    for (std::size_t count = 1; count <= 21; ++count) {
      const AlignedFloats z = random_floats((count + RowKernels::k_row_padding) * stride, random_);
      AlignedFloats s(count * (count + 1) / 2 * k_lanes, 55);
      kernels_.gram_lane(s.data() + 3, z.data(), count, stride);
      std::size_t element = 0;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j <= i; ++j, ++element) {
          EXPECT_NEAR(s[element * k_lanes + 3],
                      product(z.data() + i * stride, z.data() + j * stride, stride), 1e-3);
          EXPECT_EQ(s[element * k_lanes + 4], 55) << "a neighbour's lane";
        }
      }
    }
  }
}

TEST_P(RowKernelsTest, SixteenSystemsAreSolvedEachForItself) {
  for (const std::size_t order : {1U, 2U, 5U, 16U, 24U}) {
    const std::size_t elements = order * (order + 1) / 2;
    AlignedFloats s(elements * k_lanes);
    const AlignedFloats x = random_floats(order * k_lanes, random_);
    AlignedFloats right(order * k_lanes);
    for (std::size_t lane = 0; lane < k_lanes; ++lane) {
      const AlignedFloats z = random_floats((order + RowKernels::k_row_padding) * 32, random_);
      kernels_.gram_lane(s.data() + lane, z.data(), order, 32);
      for (std::size_t i = 0; i < order; ++i) {
        s[(i * (i + 1) / 2 + i) * k_lanes + lane] += 1;
      }
      for (std::size_t i = 0; i < order; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < order; ++j) {
          const std::size_t low = std::min(i, j);
          const std::size_t high = std::max(i, j);
          sum += double{s[(high * (high + 1) / 2 + low) * k_lanes + lane]} * x[j * k_lanes + lane];
        }
        right[i * k_lanes + lane] = static_cast<float>(sum);
      }
    }
    kernels_.solve_lanes(s.data(), right.data(), order);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(right[i], x[i], 2e-3) << order;
  }
}

TEST_P(RowKernelsTest, ConjugateGradientsReachTheSolutionInAsManyStepsAsThereAreRows) {
  const std::size_t stride = 32;
  for (const std::size_t count : {1U, 3U, 6U}) {
    AlignedFloats z = random_floats(count * stride, random_);
    for (float& number : z) number *= 0.2F;
    const AlignedFloats targets = random_floats(count, random_);
    AlignedFloats x = random_floats(stride, random_);
    AlignedFloats scratch(3 * stride);
    // One step more for the part of the start that no row reaches.
    kernels_.conjugate_gradient(x.data(), z.data(), targets.data(), count, stride, count + 1,
                                scratch.data());
    for (std::size_t i = 0; i < stride; ++i) {
      double left = x[i];
      for (std::size_t k = 0; k < count; ++k) {
        left += z[k * stride + i] * (product(z.data() + k * stride, x.data(), stride) - targets[k]);
      }
      EXPECT_NEAR(left, 0, 1e-4) << count << " rows";
    }
  }
}

TEST_P(RowKernelsTest, MultiplyIsTheProductForAnyNumberOfRows) {
  for (const std::size_t stride : {16U, 32U, 80U}) {
    const AlignedFloats matrix = random_floats(stride * stride, random_);
    for (const std::size_t count : {1U, 4U, 13U, 29U}) {
      const AlignedFloats rows = random_floats(count * stride, random_);
      AlignedFloats target(count * stride, 9);
      kernels_.multiply(target.data(), rows.data(), count, matrix.data(), stride);
      for (std::size_t r = 0; r < count; ++r) {
        for (std::size_t c = 0; c < stride; ++c) {
          double expected = 0;
          for (std::size_t k = 0; k < stride; ++k)
            expected += double{rows[r * stride + k]} * matrix[k * stride + c];
          EXPECT_NEAR(target[r * stride + c], expected, 1e-3);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, RowKernelsTest,
                         ::testing::ValuesIn(supported_row_kernels().begin(),
                                             supported_row_kernels().end()),
                         [](const auto& set) { return std::string(set.param->instruction_set); });

}  // namespace
}  // namespace vitrine::training
