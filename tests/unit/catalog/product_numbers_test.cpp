#include "server/catalog/product_numbers.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace vitrine::catalog {
namespace {

TEST(ProductNumbersTest, NumbersAreDenseAndGoBothWays) {
  ProductNumbers numbers;
  EXPECT_FALSE(numbers.find("p0").has_value());
  std::vector<std::string_view> early;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(numbers.number_of("p" + std::to_string(i)), ProductNumber(i));
    early.push_back(numbers.id_of(ProductNumber(i)));
  }
  EXPECT_EQ(numbers.number_of("p7"), ProductNumber(7));
  EXPECT_EQ(numbers.find("p999"), ProductNumber(999));
  EXPECT_EQ(numbers.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(early[i], "p" + std::to_string(i));
}

TEST(ProductNumbersTest, ThreadsAgreeOnEveryNumber) {
  ProductNumbers numbers;
  std::vector<std::vector<ProductNumber>> seen(4);
  std::vector<std::thread> threads;
  for (auto& own : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) own.push_back(numbers.number_of("p" + std::to_string(i)));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(numbers.size(), 500U);
  for (const auto& own : seen) EXPECT_EQ(own, seen[0]);
}

}  // namespace
}  // namespace vitrine::catalog
