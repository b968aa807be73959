#include "training/als_trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

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

// Products are solved last, so each must be the exact answer to the users as they stand.
TEST(AlsTrainerTest, EveryRowOfTheLastSideSolvesItsNormalEquations) {
  const Dataset data = test::shop_of_two_tastes();
  for (const std::uint32_t dimension : {5U, 16U, 33U}) {
    AlsOptions options = small_options();
    options.factors.dimension = dimension;
    const std::size_t stride = padded_dimension(dimension);
    const AlsResult result = trained(data, options);
    const auto user = [&](std::size_t row, std::size_t i) {
      return double{result.user_factors[row * stride + i]};
    };
    for (std::size_t product = 0; product < data.products.size(); ++product) {
      std::vector<std::vector<double>> system(dimension, std::vector<double>(dimension));
      std::vector<double> right(dimension);
      const auto columns = data.by_product.columns_of(product);
      for (std::size_t i = 0; i < dimension; ++i) {
        system[i][i] += regularization(options, columns.size(), data.users.size());
        for (std::size_t j = 0; j < dimension; ++j) {
          for (std::size_t row = 0; row < data.users.size(); ++row) {
            system[i][j] += double{options.factors.alpha0} * user(row, i) * user(row, j);
          }
          for (std::size_t k = 0; k < columns.size(); ++k) {
            system[i][j] += double{data.by_product.values_of(product)[k]} * user(columns[k], i) *
                            user(columns[k], j);
          }
        }
        for (std::size_t k = 0; k < columns.size(); ++k) {
          right[i] += double{data.by_product.values_of(product)[k]} * user(columns[k], i);
        }
      }
      const std::vector<double> exact = solved(system, right);
      double difference = 0;
      double norm = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        difference += std::pow(result.product_factors[product * stride + i] - exact[i], 2);
        norm += exact[i] * exact[i];
      }
      EXPECT_LT(std::sqrt(difference / norm), 1e-4)
          << "product " << product << " at dimension " << dimension;
    }
  }
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
  const AlsResult one = trained(data, options);
  for (const unsigned threads : {2U, 3U, 8U}) {
    options.threads = threads;
    const AlsResult many = trained(data, options);
    EXPECT_EQ(one.product_factors, many.product_factors) << threads;
    EXPECT_EQ(one.user_factors, many.user_factors) << threads;
    EXPECT_EQ(one.epochs.back().objective, many.epochs.back().objective) << threads;
  }
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
