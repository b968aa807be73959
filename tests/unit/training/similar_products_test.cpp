#include "training/similar_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.h"

namespace vitrine::training {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AlignedFloats random_factors(std::size_t rows, std::size_t stride) {
  Random random(2);
  AlignedFloats factors(rows * stride);
  for (float& number : factors) number = static_cast<float>(random.normal());
  return factors;
}

// All other rows by falling cosine, in double precision.
std::vector<std::pair<double, std::uint32_t>> all_cosines(const AlignedFloats& factors,
                                                          std::size_t stride, std::size_t row) {
  std::vector<std::pair<double, std::uint32_t>> all;
  for (std::uint32_t other = 0; other < factors.size() / stride; ++other) {
    double dot = 0, a = 0, b = 0;
    for (std::size_t i = 0; i < stride; ++i) {
      const double x = factors[row * stride + i], y = factors[other * stride + i];
      dot += x * y, a += x * x, b += y * y;
    }
    if (other != row) all.emplace_back(-dot / std::sqrt(a * b), other);
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::uint32_t> rows_of(const std::vector<RelatedProduct>& list) {
  std::vector<std::uint32_t> rows;
  for (const RelatedProduct& one : list) rows.push_back(one.row);
  return rows;
}

// Long rows make small blocks: many meet, the last one being smaller and its last panel not full.
TEST(SimilarProductsTest, AgreesWithSortingAllCosines) {
  for (const auto& [rows, stride] : {std::pair{700U, 16U}, {333U, 1024U}}) {
    const AlignedFloats factors = random_factors(rows, stride);
    const NeighborLists lists = similar_products(factors, rows, stride, 5, 2).value();
    ASSERT_EQ(lists.size(), rows);
    for (std::size_t row = 0; row < rows; row += 19) {
      const auto all = all_cosines(factors, stride, row);
      ASSERT_EQ(lists[row].size(), 5U);
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(lists[row][i].row, all[i].second);
        EXPECT_NEAR(lists[row][i].score, -all[i].first, 1e-5);
      }
    }
  }
}

TEST(SimilarProductsTest, DoesNotDependOnTheNumberOfThreads) {
  const AlignedFloats factors = random_factors(500, 512);
  const NeighborLists one = similar_products(factors, 500, 512, 20, 1).value();
  for (const unsigned threads : {2U, 7U})
    EXPECT_EQ(similar_products(factors, 500, 512, 20, threads).value(), one);
}

TEST(SimilarProductsTest, EqualOnesComeByRow) {
  AlignedFloats factors(300 * 16);
  for (std::size_t row = 0; row < 300; ++row) factors[row * 16] = 2;
  const NeighborLists lists = similar_products(factors, 300, 16, 3, 2).value();
  EXPECT_THAT(rows_of(lists[0]), ElementsAre(1, 2, 3));
  EXPECT_THAT(rows_of(lists[150]), ElementsAre(0, 1, 2));
}

TEST(SimilarProductsTest, ProductsWithoutFactorsAndOppositesAreNobodysNeighbours) {
  AlignedFloats factors(4 * 16);
  factors[0] = 1;
  factors[16] = -1;
  factors[16 + 1] = 1;
  factors[3 * 16] = 3;
  const NeighborLists lists = similar_products(factors, 4, 16, 3, 1).value();
  EXPECT_THAT(rows_of(lists[0]), ElementsAre(3));
  EXPECT_FLOAT_EQ(lists[0][0].score, 1);
  EXPECT_THAT(rows_of(lists[1]), IsEmpty()) << "the others point away from it or are nothing";
  EXPECT_THAT(lists[2], IsEmpty());
  EXPECT_THAT(similar_products(factors, 4, 16, 0, 1).value()[0], IsEmpty());
  EXPECT_THAT(similar_products({}, 0, 16, 3, 1).value(), IsEmpty());
}

TEST(SimilarProductsTest, SaysHowFarItIsAndEndsWhenItIsAskedTo) {
  const AlignedFloats factors = random_factors(400, 1024);
  std::vector<double> shares;
  std::atomic<bool> cancel = false;
  const SimilarWatch watch{[&](double share) {
                             shares.push_back(share);
                             cancel = shares.size() == 3;
                           },
                           &cancel};
  EXPECT_EQ(similar_products(factors, 400, 1024, 5, 2, watch).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(shares.size(), 3U);

  shares.clear();
  ASSERT_TRUE(similar_products(factors, 400, 1024, 5, 2, {watch.on_progress, nullptr}).ok());
  EXPECT_GT(shares.size(), 3U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1);
}

}  // namespace
}  // namespace vitrine::training
