#include "model/factor_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace vitrine {
namespace {

constexpr std::size_t k_rows = 200;

std::vector<float> random_factors(std::size_t dimension, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> factors(k_rows * dimension);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    // Some directions carry more than others, as in real factors.
    const double weight = 1.0 / (1.0 + static_cast<double>(i % dimension));
    factors[i] = static_cast<float>(weight * random.normal());
  }
  return factors;
}

FactorModel model_of(std::size_t dimension) {
  return FactorModel::from_factors({.dimension = static_cast<std::uint32_t>(dimension),
                                    .alpha0 = 0.3F,
                                    .lambda = 0.01F,
                                    .nu = 1},
                                   random_factors(dimension))
      .value();
}

// The objective of one user, number by number, over any factors.
double objective(std::span<const float> factors, std::size_t dimension,
                 const FactorParameters& parameters, std::span<const std::uint32_t> rows,
                 std::span<const float> confidences, std::span<const double> user) {
  const auto score = [&](std::size_t row) {
    double sum = 0;
    for (std::size_t i = 0; i < dimension; ++i) sum += factors[row * dimension + i] * user[i];
    return sum;
  };
  double value = 0;
  for (std::size_t row = 0; row < k_rows; ++row)
    value += parameters.alpha0 * score(row) * score(row);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    value += confidences[k] * (1 - score(rows[k])) * (1 - score(rows[k]));
  }
  const double weight =
      parameters.lambda *
      std::pow(static_cast<double>(rows.size()) + parameters.alpha0 * k_rows, parameters.nu);
  for (const double number : user) value += weight * number * number;
  return value;
}

TEST(FactorModelTest, RotationKeepsEveryInnerProductOfTwoProducts) {
  const std::vector<float> factors = random_factors(24);
  const FactorModel model = model_of(24);
  for (std::uint32_t a = 0; a < k_rows; a += 7) {
    for (std::uint32_t b = 0; b < k_rows; b += 13) {
      double expected = 0;
      for (std::size_t i = 0; i < 24; ++i)
        expected += static_cast<double>(factors[a * 24 + i]) * factors[b * 24 + i];
      EXPECT_NEAR(model.score(a, model.row(b)), expected, 1e-4);
    }
  }
}

TEST(FactorModelTest, GramMatrixIsTheSpectrumOnItsDiagonalAndFalls) {
  const FactorModel model = model_of(24);
  for (std::size_t i = 0; i < 24; ++i) {
    for (std::size_t j = 0; j < 24; ++j) {
      double sum = 0;
      for (std::uint32_t row = 0; row < k_rows; ++row)
        sum += static_cast<double>(model.row(row)[i]) * model.row(row)[j];
      EXPECT_NEAR(sum, i == j ? model.spectrum()[i] : 0, 1e-3 * model.spectrum()[0]);
    }
    if (i > 0) {
      EXPECT_LE(model.spectrum()[i], model.spectrum()[i - 1]);
    }
  }
}

TEST(FactorModelTest, RowsStartOnCacheLinesAndAreZeroBetween) {
  const FactorModel model = model_of(20);
  EXPECT_EQ(model.stride(), 32U);
  for (std::uint32_t row = 0; row < k_rows; ++row) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(model.row_data(row)) % 64, 0U);
    for (std::size_t i = 20; i < 32; ++i) EXPECT_EQ(model.row_data(row)[i], 0);
  }
}

TEST(FactorModelTest, FoldInAgreesWithCholeskyForEveryLengthOfHistory) {
  for (const std::size_t dimension : {1U, 5U, 16U, 24U, 64U}) {
    const FactorModel model = model_of(dimension);
    Random random(dimension);
    for (const std::size_t length : {1U, 2U, 10U, 50U, 150U}) {
      std::vector<Observation> observations;
      for (std::size_t k = 0; k < length; ++k) {
        observations.push_back({model.row_data(static_cast<std::uint32_t>(random.below(k_rows))),
                                static_cast<float>(0.05 + 5 * random.uniform())});
      }
      std::vector<float> fast(dimension);
      std::vector<float> exact(dimension);
      model.fold_in(observations, fast);
      model.fold_in_exact(observations, exact);
      double difference = 0;
      double norm = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        difference += std::pow(fast[i] - exact[i], 2);
        norm += std::pow(exact[i], 2);
      }
      EXPECT_LT(std::sqrt(difference / norm), 1e-3) << dimension << " " << length;
    }
  }
}

// Judged without the spectrum or any solver: no step in any direction makes the objective smaller.
TEST(FactorModelTest, FoldInMinimizesTheObjective) {
  constexpr std::size_t k_dimension = 4;
  const FactorModel model = model_of(k_dimension);
  std::vector<float> factors;
  for (std::uint32_t row = 0; row < k_rows; ++row) {
    factors.insert(factors.end(), model.row(row).begin(), model.row(row).end());
  }
  const std::vector<std::uint32_t> rows{3, 77, 150};
  const std::vector<float> confidences{0.5F, 2, 1};
  std::vector<float> user(k_dimension);

  model.fold_in(rows, confidences, user);

  const std::vector<double> best(user.begin(), user.end());
  const double least = objective(factors, k_dimension, model.parameters(), rows, confidences, best);
  for (std::size_t i = 0; i < k_dimension; ++i) {
    for (const double step : {-0.01, 0.01}) {
      std::vector<double> moved = best;
      moved[i] += step;
      EXPECT_GT(objective(factors, k_dimension, model.parameters(), rows, confidences, moved),
                least);
    }
  }
}

TEST(FactorModelTest, ALargerConfidencePullsTheScoreCloserToOne) {
  const FactorModel model = model_of(16);
  const std::vector<std::uint32_t> rows{5};
  std::vector<float> user(16);
  float before = 0;
  for (const float confidence : {0.1F, 1.0F, 10.0F, 100.0F}) {
    model.fold_in(rows, std::vector<float>{confidence}, user);
    const float score = model.score(5, user);
    EXPECT_GT(score, before);
    EXPECT_LT(score, 1);
    before = score;
  }
}

TEST(FactorModelTest, NobodyIsTheZeroVector) {
  const FactorModel model = model_of(16);
  std::vector<float> user(16, 7);
  model.fold_in(std::span<const Observation>{}, user);
  EXPECT_EQ(user, std::vector<float>(16, 0));
}

TEST(FactorModelTest, RegularizationGrowsWithTheHistoryByTheFrequencyExponent) {
  const std::vector<float> factors = random_factors(8);
  const auto with_nu = [&](float nu) {
    return FactorModel::from_factors({.dimension = 8, .alpha0 = 0.5F, .lambda = 0.02F, .nu = nu},
                                     factors)
        .value();
  };
  EXPECT_FLOAT_EQ(with_nu(0).user_regularization(30), 0.02F);
  EXPECT_FLOAT_EQ(with_nu(1).user_regularization(30), 0.02F * (30 + 0.5F * k_rows));
  EXPECT_FLOAT_EQ(with_nu(0.5F).user_regularization(30), 0.02F * std::sqrt(30 + 0.5F * k_rows));
}

TEST(FactorModelTest, WhatIsTakenBackFromItsPartsIsTheSame) {
  const FactorModel model = model_of(24);
  std::vector<float> factors;
  for (std::uint32_t row = 0; row < k_rows; ++row) {
    factors.insert(factors.end(), model.row(row).begin(), model.row(row).end());
  }
  const FactorModel again =
      FactorModel::restore(model.parameters(), factors, model.spectrum()).value();
  std::vector<float> user(24);
  std::vector<float> user_again(24);
  const std::vector<std::uint32_t> rows{1, 2};
  model.fold_in(rows, std::vector<float>{1, 1}, user);
  again.fold_in(rows, std::vector<float>{1, 1}, user_again);
  EXPECT_EQ(user, user_again);
}

TEST(FactorModelTest, RefusesWhatCannotBeAModel) {
  const auto code = [](FactorParameters parameters, std::vector<float> factors) {
    return FactorModel::from_factors(parameters, factors).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({.dimension = 4}, std::vector<float>(8)), absl::StatusCode::kOk);
  EXPECT_EQ(code({.dimension = 4}, std::vector<float>(9)), invalid);
  EXPECT_EQ(code({.dimension = 0}, {}), invalid);
  EXPECT_EQ(code({.dimension = 5000}, {}), invalid);
  EXPECT_EQ(code({.dimension = 2, .alpha0 = -1}, {}), invalid);
  EXPECT_EQ(code({.dimension = 2, .lambda = 0}, {}), invalid);
  EXPECT_EQ(code({.dimension = 2, .nu = 1.5F}, {}), invalid);
  EXPECT_EQ(code({.dimension = 2}, {1, std::numeric_limits<float>::quiet_NaN()}), invalid);
  EXPECT_EQ(code({.dimension = 2}, {1, std::numeric_limits<float>::infinity()}), invalid);
  const std::vector<float> factors(4);
  EXPECT_EQ(FactorModel::restore({.dimension = 2}, factors, std::vector<float>(3)).status().code(),
            invalid);
  EXPECT_EQ(
      FactorModel::restore({.dimension = 2}, factors, std::vector<float>{1, -1}).status().code(),
      invalid);
}

}  // namespace
}  // namespace vitrine
