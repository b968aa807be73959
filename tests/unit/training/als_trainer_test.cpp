#include "training/als_trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

AlsOptions small_options() {
  AlsOptions options;
  options.factors = {.dimension = 12, .alpha0 = 0.2F, .lambda = 0.02F, .nu = 1};
  options.epochs = 4;
  options.threads = 1;
  return options;
}

AlsResult trained(const Dataset& data, const AlsOptions& options) {
  return train_als(data.by_user, data.by_product, options, {}, nullptr).value();
}

// Gaussian elimination in double: the judge, which shares nothing with what it judges.
std::vector<double> solved(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t r = i + 1; r < n; ++r) {
      const double factor = a[r][i] / a[i][i];
      for (std::size_t c = i; c < n; ++c) a[r][c] -= factor * a[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= a[i][c] * b[c];
    b[i] /= a[i][i];
  }
  return b;
}

double regularization(const AlsOptions& options, std::size_t observed, std::size_t other_rows) {
  return options.factors.lambda *
         std::pow(static_cast<double>(observed) +
                      options.factors.alpha0 * static_cast<double>(other_rows),
                  options.factors.nu);
}

// The exact vector of a product, users being as they are, in double.
std::vector<double> exact_product(const Dataset& data, const AlsOptions& options,
                                  const AlignedFloats& users, std::size_t product) {
  const std::size_t dimension = options.factors.dimension;
  const std::size_t stride = padded_dimension(dimension);
  const auto columns = data.by_product.columns_of(product);
  const auto values = data.by_product.values_of(product);
  std::vector<std::vector<double>> system(dimension, std::vector<double>(dimension));
  std::vector<double> right(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    system[i][i] += regularization(options, columns.size(), data.users.size());
    for (std::size_t j = 0; j < dimension; ++j) {
      for (std::size_t row = 0; row < data.users.size(); ++row) {
        system[i][j] +=
            double{options.factors.alpha0} * users[row * stride + i] * users[row * stride + j];
      }
      for (std::size_t k = 0; k < columns.size(); ++k) {
        system[i][j] +=
            double{values[k]} * users[columns[k] * stride + i] * users[columns[k] * stride + j];
      }
    }
    for (std::size_t k = 0; k < columns.size(); ++k)
      right[i] += double{values[k]} * users[columns[k] * stride + i];
  }
  return solved(system, right);
}

// |row - exact| / |exact| of the worst product. Products are solved last, so each can be compared
// with the exact answer to the users as they stand.
double worst_error(const Dataset& data, const AlsOptions& options) {
  const std::size_t stride = padded_dimension(options.factors.dimension);
  const AlsResult result = trained(data, options);
  double worst = 0;
  for (std::size_t product = 0; product < data.products.size(); ++product) {
    const std::vector<double> exact = exact_product(data, options, result.user_factors, product);
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      difference += std::pow(result.product_factors[product * stride + i] - exact[i], 2);
      norm += exact[i] * exact[i];
    }
    worst = std::max(worst, std::sqrt(difference / norm));
  }
  return worst;
}

// Products of 1 to `users` buyers, each pair with a confidence of its own.
Dataset shop_of_all_lengths(std::uint32_t users) {
  Random random(8);
  DatasetBuilder builder{DatasetOptions{}};
  for (std::uint32_t length = 1; length <= users; length += 1 + length / 8) {
    const std::string product = "p" + std::to_string(length);
    for (std::uint32_t k = 0; k < length; ++k) {
      const std::string user = "u" + std::to_string(random.below(users));
      Interaction one = test::purchase(user, product);
      one.weight = static_cast<float>(0.1 + 3 * random.uniform());
      builder.add(one);
    }
  }
  return builder.build().value();
}

// Lengths around every border: lanes, dual, as many as the dimension, and beyond.
TEST(AlsTrainerTest, ExactSolversSolveTheNormalEquationsOfRowsOfAnyLength) {
  const Dataset data = shop_of_all_lengths(150);
  for (const SolverKind solver : {SolverKind::primal, SolverKind::dual}) {
    for (const std::uint32_t dimension : {1U, 5U, 16U, 33U, 64U}) {
      AlsOptions options = small_options();
      options.solver = solver;
      options.factors.dimension = dimension;
      EXPECT_LT(worst_error(data, options), 1e-4)
          << name_of(solver) << " at dimension " << dimension;
    }
  }
}

// Where the d x d system is too close to singular for single precision, the primal's error is 5e-3.
TEST(AlsTrainerTest, TheDualStaysExactWhereRegularizationIsWeak) {
  const Dataset data = shop_of_all_lengths(150);
  AlsOptions options = small_options();
  options.factors = {.dimension = 40, .alpha0 = 0.01F, .lambda = 0.01F, .nu = 0};
  options.solver = SolverKind::dual;
  EXPECT_LT(worst_error(data, options), 1e-4);
}

TEST(AlsTrainerTest, ConjugateGradientsArriveWhereTheExactSolversDo) {
  const Dataset data = shop_of_all_lengths(150);
  AlsOptions options = small_options();
  options.epochs = 30;
  options.solver = SolverKind::primal;
  const double exact = trained(data, options).epochs.back().objective;
  for (const SolverKind solver : {SolverKind::automatic, SolverKind::pcg}) {
    options.solver = solver;
    EXPECT_NEAR(trained(data, options).epochs.back().objective, exact, 2e-4 * exact)
        << name_of(solver);
    EXPECT_LT(worst_error(data, options), 1e-2) << name_of(solver);
  }
}

TEST(AlsTrainerTest, SolversAreKnownByTheirNames) {
  for (const char* name : {"auto", "primal", "dual", "pcg"}) {
    ASSERT_TRUE(solver_named(name)) << name;
    EXPECT_EQ(name_of(*solver_named(name)), name);
  }
  EXPECT_EQ(solver_named("cholesky"), std::nullopt);
}

TEST(AlsTrainerTest, TheObjectiveIsTheOneOfThePlainDoubleLoop) {
  const Dataset data = test::shop_of_two_tastes();
  const AlsOptions options = small_options();
  const AlsResult result = trained(data, options);
  const std::size_t stride = padded_dimension(options.factors.dimension);
  const auto dot = [&](const float* a, const float* b) {
    double sum = 0;
    for (std::size_t i = 0; i < stride; ++i) sum += double{a[i]} * b[i];
    return sum;
  };
  double expected = 0;
  for (std::size_t u = 0; u < data.users.size(); ++u) {
    const float* user = result.user_factors.data() + u * stride;
    const auto columns = data.by_user.columns_of(u);
    expected += regularization(options, columns.size(), data.products.size()) * dot(user, user);
    for (std::size_t p = 0; p < data.products.size(); ++p) {
      expected += options.factors.alpha0 *
                  std::pow(dot(user, result.product_factors.data() + p * stride), 2);
    }
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const double miss = 1 - dot(user, result.product_factors.data() + columns[k] * stride);
      expected += data.by_user.values_of(u)[k] * miss * miss;
    }
  }
  for (std::size_t p = 0; p < data.products.size(); ++p) {
    const float* product = result.product_factors.data() + p * stride;
    expected += regularization(options, data.by_product.columns_of(p).size(), data.users.size()) *
                dot(product, product);
  }
  EXPECT_NEAR(result.epochs.back().objective * static_cast<double>(data.pair_count()), expected,
              1e-3 * expected);
}

TEST(AlsTrainerTest, EveryEpochLowersTheObjective) {
  AlsOptions options = small_options();
  options.epochs = 8;
  double before = std::numeric_limits<double>::infinity();
  const Dataset data = test::shop_of_two_tastes();
  for (const EpochReport& report : trained(data, options).epochs) {
    EXPECT_LT(report.objective, before) << "epoch " << report.epoch;
    before = report.objective;
  }
}

TEST(AlsTrainerTest, TheBytesDependOnTheSeedAndNotOnTheThreads) {
  const Dataset data = test::shop_of_two_tastes(700, 300);
  AlsOptions options = small_options();
  for (const SolverKind solver :
       {SolverKind::automatic, SolverKind::primal, SolverKind::dual, SolverKind::pcg}) {
    options.solver = solver;
    options.threads = 1;
    const AlsResult one = trained(data, options);
    for (const unsigned threads : {2U, 3U, 8U}) {
      options.threads = threads;
      const AlsResult many = trained(data, options);
      EXPECT_EQ(one.product_factors, many.product_factors) << name_of(solver) << threads;
      EXPECT_EQ(one.user_factors, many.user_factors) << name_of(solver) << threads;
      EXPECT_EQ(one.epochs.back().objective, many.epochs.back().objective) << threads;
    }
  }
  const AlsResult one = trained(data, options);
  options.seed = 2;
  EXPECT_NE(one.product_factors, trained(data, options).product_factors);
}

TEST(AlsTrainerTest, ReportsEveryEpochInOrder) {
  const Dataset data = test::shop_of_two_tastes();
  std::vector<std::uint32_t> epochs;
  const auto result = train_als(
      data.by_user, data.by_product, small_options(),
      [&](const EpochReport& report) { epochs.push_back(report.epoch); }, nullptr);
  EXPECT_EQ(epochs, (std::vector<std::uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(result.value().epochs.size(), 4U);
}

TEST(AlsTrainerTest, StopsWhenCancelled) {
  const Dataset data = test::shop_of_two_tastes();
  std::atomic<bool> cancel = false;
  int epochs = 0;
  const auto cancel_at_two = [&](const EpochReport&) { cancel = ++epochs == 2; };
  const auto result =
      train_als(data.by_user, data.by_product, small_options(), cancel_at_two, &cancel);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(epochs, 2);
}

TEST(AlsTrainerTest, RefusesOptionsOutOfRange) {
  const auto code = [](auto change) {
    AlsOptions options;
    change(options);
    return validate(options).code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code([](AlsOptions&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(code([](AlsOptions& options) { options.epochs = 0; }), invalid);
  EXPECT_EQ(code([](AlsOptions& options) { options.factors.dimension = 0; }), invalid);
  EXPECT_EQ(code([](AlsOptions& options) { options.factors.lambda = -1; }), invalid);
  EXPECT_EQ(code([](AlsOptions& options) { options.threads = 5000; }), invalid);
}

}  // namespace
}  // namespace vitrine::training
