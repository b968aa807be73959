#include "server/live_model/category_vectors.h"

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <vector>

#include "base/random.h"

namespace vitrine::live_model {
namespace {

TEST(CategoryVectorsTest, EqualsARecountAfterAnyMoves) {
  Random random(3);
  constexpr std::uint32_t rows = 20;
  const std::array<std::string, 4> names = {"", "Home", "Home > Kitchen", "Toys"};
  std::vector<std::array<float, 3>> vectors(rows);
  for (auto& vector : vectors) {
    for (float& value : vector) value = static_cast<float>(random.normal());
  }
  std::vector<std::size_t> category_of(rows, 0);
  CategoryVectors categories(3, rows);

  for (int move = 0; move < 500; ++move) {
    const auto row = static_cast<std::uint32_t>(random.below(rows));
    category_of[row] = random.below(names.size());
    categories.place(row, names[category_of[row]], vectors[row]);
  }

  for (std::size_t category = 1; category < names.size(); ++category) {
    std::array<double, 3> sum{};
    double count = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
      if (category_of[row] != category) continue;
      ++count;
      for (std::size_t i = 0; i < 3; ++i) sum[i] += static_cast<double>(vectors[row][i]);
    }
    ASSERT_GT(count, 0) << names[category];
    std::array<float, 3> mean{};
    ASSERT_TRUE(categories.mean(names[category], mean));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(mean[i], sum[i] / count, 1e-6);
  }
}

TEST(CategoryVectorsTest, HasNoMeanWhereNoProductIs) {
  CategoryVectors categories(1, 2);
  const std::array<float, 1> vector = {4};
  std::array<float, 1> mean = {-1};
  categories.place(0, "Toys", vector);
  categories.place(0, "Home", vector);

  EXPECT_FALSE(categories.mean("Toys", mean)) << "its only product left";
  EXPECT_FALSE(categories.mean("Garden", mean));
  EXPECT_FALSE(categories.mean("", mean));
  EXPECT_EQ(mean[0], -1);
  ASSERT_TRUE(categories.mean("Home", mean));
  EXPECT_EQ(mean[0], 4);
}

}  // namespace
}  // namespace vitrine::live_model
