#include "training/content_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/random.h"
#include "training/ridge.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_dimension = 20;  // more than one block of lanes

std::vector<float> random_vector(Random& random) {
  std::vector<float> vector(k_dimension);
  for (float& value : vector) value = static_cast<float>(random.normal());
  return vector;
}

// Products whose vectors are the sum of one of their material, one of their use, and noise.
struct PlantedShop {
  static constexpr std::size_t k_kinds = 6;
  std::vector<Product> products;
  std::vector<std::vector<float>> vectors;
  std::vector<std::vector<float>> materials;
  std::vector<std::vector<float>> uses;

  PlantedShop(std::size_t count, float noise) {
    Random random(4);
    for (std::size_t i = 0; i < k_kinds; ++i) materials.push_back(random_vector(random));
    for (std::size_t i = 0; i < k_kinds; ++i) uses.push_back(random_vector(random));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t material = random.below(k_kinds);
      const std::size_t use = random.below(k_kinds);
      products.push_back(product(material, use, i));
      vectors.push_back(random_vector(random));
      for (std::size_t k = 0; k < k_dimension; ++k) {
        vectors.back()[k] = noise * vectors.back()[k] + materials[material][k] + uses[use][k];
      }
    }
  }
  static Product product(std::size_t material, std::size_t use, std::size_t number) {
    Product product;
    product.product_id = "p" + std::to_string(number);
    product.title = "Lamp of material" + std::to_string(material) + " no" + std::to_string(number);
    product.categories = {"Home > Use " + std::to_string(use)};
    return product;
  }
  std::vector<ContentExample> examples() const {
    std::vector<ContentExample> result;
    for (std::size_t i = 0; i < products.size(); ++i) result.push_back({&products[i], vectors[i]});
    return result;
  }
};

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

TEST(ContentTrainingTest, PlacesAProductThatNobodyTouchedByItsTitleAndCategory) {
  const PlantedShop shop(400, 0.2F);
  const ContentOutcome outcome = learn_content_map(shop.examples(), {}, 2).value();
  EXPECT_GT(outcome.r2, 0.9);
  EXPECT_GT(outcome.cosine, 0.9);
  EXPECT_EQ(outcome.held_out, 40U);
  std::vector<float> vector(k_dimension);
  for (std::size_t kind = 0; kind < PlantedShop::k_kinds; ++kind) {
    const std::size_t use = (kind * 5 + 1) % PlantedShop::k_kinds;
    ASSERT_TRUE(outcome.map.place(PlantedShop::product(kind, use, 99'999), vector));
    std::vector<float> planted = shop.materials[kind];
    for (std::size_t k = 0; k < k_dimension; ++k) planted[k] += shop.uses[use][k];
    EXPECT_GT(cosine(vector, planted), 0.95) << kind;
  }
}

TEST(ContentTrainingTest, ShrinksMoreWhereContentSaysNothing) {
  PlantedShop telling(300, 0.1F);
  PlantedShop silent(300, 0.1F);
  Random random(9);
  for (std::vector<float>& vector : silent.vectors) vector = random_vector(random);
  const ContentOutcome sure = learn_content_map(telling.examples(), {}, 1).value();
  const ContentOutcome unsure = learn_content_map(silent.examples(), {}, 1).value();
  EXPECT_LT(sure.lambda, unsure.lambda);
  EXPECT_LT(unsure.r2, 0.05);
}

TEST(ContentTrainingTest, TermsOfOneProductAloneAreNotLearnt) {
  const PlantedShop shop(100, 0.1F);
  const ContentOutcome outcome = learn_content_map(shop.examples(), {}, 1).value();
  for (const std::string& name : outcome.map.features().names())
    EXPECT_FALSE(name.starts_with("term:no")) << name;
}

TEST(ContentTrainingTest, TheNumberOfThreadsChangesNothing) {
  const PlantedShop shop(100, 0.3F);
  const ContentMap one = learn_content_map(shop.examples(), {}, 1)->map;
  const ContentMap two = learn_content_map(shop.examples(), {}, 2)->map;
  EXPECT_TRUE(std::ranges::equal(one.weights(), two.weights()));
}

TEST(ContentTrainingTest, TooFewProductsMakeNoMap) {
  const PlantedShop shop(19, 0.1F);
  EXPECT_TRUE(learn_content_map(shop.examples(), {}, 1)->map.empty());
  EXPECT_TRUE(learn_content_map({}, {}, 1)->map.empty());
}

TEST(ContentTrainingTest, RefusesOptionsOutOfRange) {
  const PlantedShop shop(30, 0.1F);
  EXPECT_FALSE(learn_content_map(shop.examples(), {.lambdas = {}}, 1).ok());
  EXPECT_FALSE(learn_content_map(shop.examples(), {.lambdas = {0}}, 1).ok());
  EXPECT_FALSE(learn_content_map(shop.examples(), {.price_bands = 0}, 1).ok());
  std::vector<ContentExample> uneven = shop.examples();
  uneven[3].vector = uneven[3].vector.first(2);
  EXPECT_FALSE(learn_content_map(uneven, {}, 1).ok());
}

// The optimum has a gradient of 0: X'(X w + mean - y) + lambda w.
TEST(RidgeTest, EndsWhereTheGradientVanishes) {
  Random random(3);
  RidgeProblem problem;
  problem.column_count = 12;
  problem.dimension = k_dimension;
  for (int row = 0; row < 50; ++row) {
    for (std::uint32_t column = 0; column < 12; ++column) {
      if (random.below(3) != 0) continue;
      problem.rows.columns.push_back(column);
      problem.rows.values.push_back(static_cast<float>(random.normal()));
    }
    problem.rows.bounds.push_back(problem.rows.columns.size());
    const std::vector<float> target = random_vector(random);
    problem.targets.insert(problem.targets.end(), target.begin(), target.end());
  }
  const double lambda = 0.7;
  const Ridge ridge = solve_ridge(problem, lambda, 2);
  std::vector<double> gradient(12 * k_dimension);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] = lambda * static_cast<double>(ridge.weights[i]);
  std::vector<float> predicted(k_dimension);
  for (std::size_t row = 0; row < 50; ++row) {
    predict(ridge, problem, row, predicted);
    const auto columns = problem.rows.columns_of(row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (std::size_t k = 0; k < k_dimension; ++k) {
        gradient[columns[i] * k_dimension + k] +=
            static_cast<double>(problem.rows.values_of(row)[i]) *
            static_cast<double>(predicted[k] - problem.targets[row * k_dimension + k]);
      }
    }
  }
  for (const double slope : gradient) EXPECT_NEAR(slope, 0, 5e-3);
}

}  // namespace
}  // namespace vitrine::training
