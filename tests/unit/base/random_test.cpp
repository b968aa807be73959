#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace vitrine {
namespace {

TEST(RandomTest, TheSameSeedGivesTheSameNumbers) {
  Random a(7), b(7), c(8);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
}

TEST(RandomTest, BelowIsUniform) {
  Random random(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(random.below(7));
  double chi_square = 0;
  for (const int count : counts) chi_square += std::pow(count - 10'000.0, 2) / 10'000;
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom, p = 0.001
}

TEST(RandomTest, NormalHasTheMomentsOfANormal) {
  Random random(2);
  double sum = 0, squares = 0;
  constexpr int k_count = 200'000;
  for (int i = 0; i < k_count; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / k_count, 0, 0.01);
  EXPECT_NEAR(squares / k_count, 1, 0.015);
}

}  // namespace
}  // namespace vitrine
