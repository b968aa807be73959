// The eigenbasis of a Gram matrix, judged by what makes one.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "training/gram_basis.h"
#include "training/spectral_kernels.h"

namespace vitrine::training {
namespace {

// F'F for random F whose columns fade, as those of factors do; `rank` rows.
std::vector<double> random_gram(std::size_t dimension, std::size_t stride, std::size_t rank,
                                double fade) {
  Random random(3);
  std::vector<double> factors(rank * dimension);
  for (std::size_t i = 0; i < factors.size(); ++i)
    factors[i] = random.normal() * std::pow(fade, static_cast<double>(i % dimension));
  std::vector<double> gram(stride * stride);
  for (std::size_t i = 0; i < dimension; ++i) {
    for (std::size_t j = 0; j < dimension; ++j) {
      for (std::size_t k = 0; k < rank; ++k)
        gram[i * stride + j] += factors[k * dimension + i] * factors[k * dimension + j];
    }
  }
  return gram;
}

void expect_basis(const std::vector<double>& gram, std::size_t dimension, std::size_t stride) {
  const GramBasis basis = make_gram_basis(gram, dimension, stride, 1);
  double largest = 1e-30;
  for (std::size_t i = 0; i < dimension; ++i)
    largest = std::max(largest, std::abs(gram[i * stride + i]));
  for (std::size_t i = 0; i < stride; ++i) {
    for (std::size_t j = 0; j < stride; ++j) {
      double rebuilt = 0;
      double product = 0;
      for (std::size_t k = 0; k < stride; ++k) {
        rebuilt += double{basis.rotation[i * stride + k]} * basis.spectrum[k] *
                   basis.rotation[j * stride + k];
        product += double{basis.rotation[k * stride + i]} * basis.rotation[k * stride + j];
      }
      ASSERT_NEAR(rebuilt, i < dimension && j < dimension ? gram[i * stride + j] : 0,
                  2e-6 * largest)
          << i << " " << j << " at dimension " << dimension;
      ASSERT_NEAR(product, i == j && i < dimension ? 1 : 0, 1e-6)
          << i << " " << j << " at dimension " << dimension;
    }
  }
}

TEST(GramBasisTest, TheRotationIsOrthogonalAndTurnsTheGramMatrixIntoItsSpectrum) {
  for (const std::size_t dimension : {1U, 2U, 3U, 5U, 15U, 16U, 17U, 33U, 64U, 100U}) {
    const std::size_t stride = padded_dimension(dimension);
    expect_basis(random_gram(dimension, stride, 2 * dimension, 0.95), dimension, stride);
  }
}

TEST(GramBasisTest, SurvivesMatricesThatAreDiagonalOrOfLowRankOrNothing) {
  expect_basis(std::vector<double>(32 * 32), 20, 32);
  expect_basis(random_gram(20, 32, 1, 1.0), 20, 32);
  expect_basis(random_gram(40, 48, 7, 0.3), 40, 48);
  std::vector<double> diagonal(16 * 16);
  for (std::size_t i = 0; i < 9; ++i) diagonal[i * 16 + i] = static_cast<double>(i % 3);
  expect_basis(diagonal, 9, 16);
}

TEST(GramBasisTest, TheBytesDoNotDependOnTheThreads) {
  const std::vector<double> gram = random_gram(70, 80, 90, 0.97);
  const GramBasis one = make_gram_basis(gram, 70, 80, 1);
  const GramBasis three = make_gram_basis(gram, 70, 80, 3);
  EXPECT_EQ(one.rotation, three.rotation);
  EXPECT_EQ(one.spectrum, three.spectrum);
}

class SpectralKernelsTest : public ::testing::TestWithParam<const SpectralKernels*> {
 protected:
  std::vector<double> random_numbers(std::size_t count) {
    std::vector<double> numbers(count);
    for (double& number : numbers) number = random_.normal();
    return numbers;
  }
  const SpectralKernels& kernels_ = *GetParam();
  Random random_{17};
};

TEST_P(SpectralKernelsTest, MultiplyAndSubtractPairAreThePlainLoops) {
  const std::size_t stride = 48;
  for (const std::size_t count : {1U, 4U, 11U}) {
    const std::size_t length = 24;
    std::vector<double> a = random_numbers(count * stride);
    const std::vector<double> before = a;
    const std::vector<double> x = random_numbers(length);
    const std::vector<double> other = random_numbers(length);
    const std::vector<double> v = random_numbers(count);
    const std::vector<double> w = random_numbers(count);
    std::vector<double> y(count);
    kernels_.multiply(y.data(), a.data(), x.data(), count, length, stride);
    kernels_.subtract_pair(a.data(), v.data(), w.data(), x.data(), other.data(), count, length,
                           stride);
    for (std::size_t r = 0; r < count; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c < stride; ++c) {
        double expected = before[r * stride + c];
        if (c < length) {
          sum += expected * x[c];
          expected -= v[r] * other[c] + w[r] * x[c];
        }
        EXPECT_NEAR(a[r * stride + c], expected, 1e-12);
      }
      EXPECT_NEAR(y[r], sum, 1e-12);
    }
  }
}

TEST_P(SpectralKernelsTest, ReflectAndTurnAreThePlainLoops) {
  constexpr std::size_t k_columns = SpectralKernels::k_columns;
  const std::size_t count = 9;
  const std::vector<double> before = random_numbers(count * k_columns);
  const std::vector<double> v = random_numbers(count);
  std::vector<double> block = before;
  kernels_.reflect(block.data(), v.data(), 0.3, count);
  for (std::size_t c = 0; c < k_columns; ++c) {
    double along = 0;
    for (std::size_t r = 0; r < count; ++r) along += v[r] * before[r * k_columns + c];
    for (std::size_t r = 0; r < count; ++r)
      EXPECT_NEAR(block[r * k_columns + c], before[r * k_columns + c] - 0.3 * v[r] * along, 1e-12);
  }
  block = before;
  const std::vector<Turn> turns{{0.8, 0.6, 3}, {0.6, -0.8, 2}};
  kernels_.turn(block.data(), turns.data(), turns.size());
  for (std::size_t c = 0; c < k_columns; ++c) {
    const double second = before[2 * k_columns + c];
    const double third = before[3 * k_columns + c];
    const double fourth = before[4 * k_columns + c];
    const double turned = 0.8 * third - 0.6 * fourth;
    EXPECT_NEAR(block[4 * k_columns + c], 0.6 * third + 0.8 * fourth, 1e-12);
    EXPECT_NEAR(block[2 * k_columns + c], 0.6 * second + 0.8 * turned, 1e-12);
    EXPECT_NEAR(block[3 * k_columns + c], -0.8 * second + 0.6 * turned, 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, SpectralKernelsTest,
                         ::testing::ValuesIn(supported_spectral_kernels().begin(),
                                             supported_spectral_kernels().end()),
                         [](const auto& set) { return std::string(set.param->instruction_set); });

}  // namespace
}  // namespace vitrine::training
