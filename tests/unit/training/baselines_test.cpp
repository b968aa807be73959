#include "training/baselines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "base/random.h"
#include "base/status.h"
#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

using Matrix = std::vector<std::vector<double>>;

// Forty customers with any of sixteen products.
Dataset random_shop() {
  Random random(11);
  DatasetBuilder builder{DatasetOptions{}};
  for (int user = 0; user < 40; ++user) {
    for (int i = 0; i < 6; ++i) {
      const std::uint64_t product = random.below(4 + random.below(12));
      builder.add(test::purchase("u" + std::to_string(user), "p" + std::to_string(product)));
    }
  }
  return builder.build().value();
}

Matrix pairs_of(const Dataset& data) {
  Matrix pairs(data.users.size(), std::vector<double>(data.products.size()));
  for (std::size_t user = 0; user < pairs.size(); ++user) {
    for (const std::uint32_t product : data.by_user.columns_of(user)) pairs[user][product] = 1;
  }
  return pairs;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<double>(b.front().size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t j = 0; j < c[i].size(); ++j) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

Matrix transpose(const Matrix& a) {
  Matrix t(a.front().size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < t.size(); ++j) t[j][i] = a[i][j];
  }
  return t;
}

// Gauss-Jordan; the matrix is positive definite.
Matrix inverse(Matrix a) {
  Matrix result(a.size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i) result[i][i] = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double pivot = a[i][i];
    for (std::size_t j = 0; j < a.size(); ++j) a[i][j] /= pivot, result[i][j] /= pivot;
    for (std::size_t row = 0; row < a.size(); ++row) {
      const double factor = row == i ? 0 : a[row][i];
      for (std::size_t j = 0; j < a.size(); ++j) {
        a[row][j] -= factor * a[i][j];
        result[row][j] -= factor * result[i][j];
      }
    }
  }
  return result;
}

// Best five of every user by pairs * weights, beside what the ranking says.
void expect_ranks_by(const Dataset& data, const Matrix& weights, const RankFunction& rank) {
  const Matrix scores = product(pairs_of(data), weights);
  for (std::uint32_t user = 0; user < data.users.size(); ++user) {
    std::vector<std::uint32_t> expected(data.products.size());
    std::iota(expected.begin(), expected.end(), 0U);
    const auto seen = data.by_user.columns_of(user);
    std::erase_if(expected,
                  [&](std::uint32_t p) { return std::binary_search(seen.begin(), seen.end(), p); });
    std::stable_sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
      return scores[user][a] > scores[user][b] + 1e-7;
    });
    expected.resize(5);
    std::vector<std::uint32_t> ranked;
    rank(user, 5, seen, ranked);
    EXPECT_THAT(ranked, ElementsAreArray(expected)) << "user " << user;
  }
}

TEST(Rp3BetaTest, WalksThreeStepsAndDiscountsFame) {
  const Dataset data = random_shop();
  const Matrix pairs = pairs_of(data);
  for (const auto& [alpha, beta] : {std::pair(1.0, 0.0), std::pair(0.7, 0.4)}) {
    Matrix from_user = pairs;
    Matrix from_product = transpose(pairs);
    for (Matrix* steps : {&from_user, &from_product}) {
      for (std::vector<double>& row : *steps) {
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);
        for (double& value : row) value = value > 0 ? std::pow(value / sum, alpha) : 0;
      }
    }
    Matrix weights = product(from_product, from_user);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      for (std::size_t j = 0; j < weights.size(); ++j)
        weights[i][j] /= std::pow(static_cast<double>(data.by_product.columns_of(j).size()), beta);
    }
    expect_ranks_by(data, weights, rp3beta_ranking(data, {.alpha = alpha, .beta = beta}).value());
  }
}

TEST(Rp3BetaTest, PassesOnToTheNearestOnly) {
  DatasetBuilder builder{DatasetOptions{}};
  builder.add(test::purchase("eve", "mug"));
  for (const char* user : {"ann", "bob", "cid"}) builder.add(test::purchase(user, "lamp"));
  for (const char* user : {"ann", "bob"}) builder.add(test::purchase(user, "bulb"));
  builder.add(test::purchase("ann", "rug"));
  const Dataset data = builder.build().value();
  const std::uint32_t cid = test::number_of(data.users, "cid");
  const auto best_two = [&](std::size_t neighbors_max) {
    const RankFunction rank =
        rp3beta_ranking(data, {.beta = 2, .neighbors_max = neighbors_max}).value();
    std::vector<std::uint32_t> ranked;
    rank(cid, 2, data.seen_by_user.columns_of(cid), ranked);
    std::vector<std::string> names;
    for (const std::uint32_t one : ranked) names.push_back(data.products[one]);
    return names;
  };
  // The rug has one customer and the bulb two: at beta 2 the rarer one is nearer to the lamp.
  EXPECT_THAT(best_two(2), ElementsAre("rug", "bulb"));
  EXPECT_THAT(best_two(1), ElementsAre("rug", "mug")) << "the bulb is as far as a stranger's mug";
}

TEST(Rp3BetaTest, RefusesSettingsOutOfRange) {
  const Dataset data = random_shop();
  EXPECT_FALSE(rp3beta_ranking(data, {.neighbors_max = 0}).ok());
  EXPECT_FALSE(rp3beta_ranking(data, {.alpha = -1}).ok());
  EXPECT_FALSE(rp3beta_ranking(data, {.beta = std::nan("")}).ok());
}

TEST(EaseTest, IsTheClosedFormWithoutItsDiagonal) {
  const Dataset data = random_shop();
  const Matrix pairs = pairs_of(data);
  for (const float lambda : {0.5F, 20.0F}) {
    Matrix gram = product(transpose(pairs), pairs);
    for (std::size_t i = 0; i < gram.size(); ++i) gram[i][i] += static_cast<double>(lambda);
    const Matrix p = inverse(gram);
    Matrix weights = p;
    for (std::size_t i = 0; i < p.size(); ++i) {
      for (std::size_t j = 0; j < p.size(); ++j) weights[i][j] = i == j ? 0 : -p[i][j] / p[j][j];
    }
    expect_ranks_by(data, weights, ease_ranking(data, {.lambda = lambda}).value());
  }
}

TEST(EaseTest, RefusesACatalogTooLargeForItsMatrix) {
  const Dataset data = random_shop();
  const auto refused = ease_ranking(data, {.products_max = 10});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message_of(refused.status()),
              HasSubstr("at most 10 products, got " + std::to_string(data.products.size())));
  EXPECT_FALSE(ease_ranking(data, {.lambda = 0}).ok());
}

TEST(BaselinesTest, EveryNameGivesARankingAndOthersAreToldTheNames) {
  const Dataset data = random_shop();
  for (const std::string_view name : baseline_names()) {
    const auto rank = baseline_ranking(name, data);
    ASSERT_TRUE(rank.ok()) << name;
    std::vector<std::uint32_t> ranked;
    (*rank)(0, 3, {}, ranked);
    EXPECT_EQ(ranked.size(), 3U) << name;
  }
  EXPECT_THAT(message_of(baseline_ranking("best", data).status()),
              HasSubstr("popular, own_orders, product_knn, rp3beta, ease, got 'best'"));
}

}  // namespace
}  // namespace vitrine::training
