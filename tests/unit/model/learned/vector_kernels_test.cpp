#include "model/vector_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "model/aligned_floats.h"

namespace vitrine {
namespace {

// Every set of kernels that this machine runs, against plain loops in double.
class VectorKernelsTest : public ::testing::TestWithParam<const VectorKernels*> {
 protected:
  static AlignedFloats random_floats(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    AlignedFloats floats(count);
    for (float& number : floats) number = static_cast<float>(random.normal());
    return floats;
  }

  // Upper triangle of P'P + diagonal.
  static std::vector<double> plain_gram(const AlignedFloats& panel, std::size_t count,
                                        std::size_t length, double diagonal) {
    std::vector<double> gram(length * length);
    for (std::size_t i = 0; i < length; ++i) {
      gram[i * length + i] = diagonal;
      for (std::size_t j = i; j < length; ++j) {
        for (std::size_t k = 0; k < count; ++k) {
          gram[i * length + j] +=
              static_cast<double>(panel[k * length + i]) * panel[k * length + j];
        }
      }
    }
    return gram;
  }

  const VectorKernels& kernels_ = *GetParam();
};

TEST_P(VectorKernelsTest, InnerProductsAgreeWithAPlainLoop) {
  for (const std::size_t length : {16U, 32U, 48U, 64U, 128U, 208U}) {
    const std::size_t count = 7;
    const AlignedFloats rows = random_floats(count * length, length);
    const AlignedFloats x = random_floats(length, 99);
    std::vector<float> products(count);
    kernels_.multiply(products.data(), rows.data(), count, x.data(), length);
    for (std::size_t k = 0; k < count; ++k) {
      double expected = 0;
      for (std::size_t i = 0; i < length; ++i)
        expected += static_cast<double>(rows[k * length + i]) * x[i];
      EXPECT_NEAR(kernels_.dot(rows.data() + k * length, x.data(), length), expected, 1e-4);
      EXPECT_NEAR(products[k], expected, 1e-4);
    }
  }
}

TEST_P(VectorKernelsTest, ScaledSumsAndProductsAgreeWithAPlainLoop) {
  const std::size_t length = 48;
  const AlignedFloats x = random_floats(length, 1);
  const AlignedFloats factors = random_floats(length, 2);
  const AlignedFloats before = random_floats(length, 3);
  AlignedFloats y = before;
  AlignedFloats product(length);

  kernels_.add_scaled(y.data(), x.data(), 1.5F, length);
  kernels_.scaled_product(product.data(), x.data(), factors.data(), -2.0F, length);

  for (std::size_t i = 0; i < length; ++i) {
    EXPECT_NEAR(y[i], before[i] + 1.5F * x[i], 1e-5);
    EXPECT_NEAR(product[i], x[i] * factors[i] * -2.0F, 1e-5);
  }
}

TEST_P(VectorKernelsTest, GramProductAgreesWithTwoPlainProducts) {
  const std::size_t length = 32;
  const std::size_t count = 5;
  const AlignedFloats z = random_floats(count * length, 4);
  const AlignedFloats x = random_floats(length, 5);
  AlignedFloats y = random_floats(length, 6);
  std::vector<double> expected(y.begin(), y.end());
  for (std::size_t k = 0; k < count; ++k) {
    double dot = 0;
    for (std::size_t i = 0; i < length; ++i) dot += static_cast<double>(z[k * length + i]) * x[i];
    for (std::size_t i = 0; i < length; ++i) expected[i] += dot * z[k * length + i];
  }

  kernels_.add_gram_product(y.data(), z.data(), count, x.data(), length);

  for (std::size_t i = 0; i < length; ++i) EXPECT_NEAR(y[i], expected[i], 1e-3);
}

TEST_P(VectorKernelsTest, GramMatrixAgreesWithAPlainLoopInItsUpperTriangle) {
  for (const std::size_t length : {16U, 48U, 64U, 112U}) {
    const std::size_t count = 37;
    const AlignedFloats panel = random_floats(count * length, length + 1);
    AlignedFloats gram(length * length);
    kernels_.add_gram(gram.data(), panel.data(), count, length);
    const std::vector<double> expected = plain_gram(panel, count, length, 0);
    for (std::size_t i = 0; i < length; ++i) {
      for (std::size_t j = i; j < length; ++j) {
        ASSERT_NEAR(gram[i * length + j], expected[i * length + j], 1e-3)
            << length << " " << i << " " << j;
      }
    }
  }
}

// Orders that are no multiple of 4 or 16 end in a narrower block, with zero columns behind it.
TEST_P(VectorKernelsTest, CholeskySolvesWhatItFactored) {
  for (const std::size_t order : {1U, 3U, 16U, 21U, 50U, 64U, 100U}) {
    const std::size_t length = padded_dimension(order);
    AlignedFloats panel = random_floats(2 * length * length, order);
    for (std::size_t k = 0; k < 2 * length; ++k) {
      for (std::size_t i = order; i < length; ++i) panel[k * length + i] = 0;
    }
    AlignedFloats system(length * length);
    kernels_.add_gram(system.data(), panel.data(), 2 * length, length);
    const std::vector<double> gram = plain_gram(panel, 2 * length, length, 0);
    AlignedFloats solution = random_floats(length, 7);
    std::fill(solution.begin() + static_cast<std::ptrdiff_t>(order), solution.end(), 0.0F);
    AlignedFloats x(length);
    for (std::size_t i = 0; i < order; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < order; ++j)
        sum += gram[std::min(i, j) * length + std::max(i, j)] * solution[j];
      x[i] = static_cast<float>(sum);
    }

    ASSERT_TRUE(kernels_.cholesky(system.data(), order, length));
    kernels_.solve_cholesky(system.data(), x.data(), order, length);

    for (std::size_t i = 0; i < length; ++i)
      EXPECT_NEAR(x[i], solution[i], 2e-3) << order << " " << i;
  }
}

TEST_P(VectorKernelsTest, CholeskyRefusesWhatIsNotPositiveDefinite) {
  AlignedFloats system(16 * 16);
  for (std::size_t i = 0; i < 16; ++i) system[i * 16 + i] = i == 9 ? -1.0F : 1.0F;
  EXPECT_FALSE(kernels_.cholesky(system.data(), 16, 16));
}

INSTANTIATE_TEST_SUITE_P(Supported, VectorKernelsTest,
                         ::testing::ValuesIn(supported_vector_kernels().begin(),
                                             supported_vector_kernels().end()),
                         [](const auto& tested) {
                           return std::string(tested.param->instruction_set);
                         });

}  // namespace
}  // namespace vitrine
