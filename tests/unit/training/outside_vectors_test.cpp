#include "training/outside_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/status.h"
#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

TrainOptions options_of(std::uint32_t dimension) {
  TrainOptions options;
  options.als.factors.dimension = dimension;
  options.neighbors.together_support_min = 1;
  return options;
}

const std::vector<std::string> k_products{"a", "b\twith a tab", "c"};
const std::vector<float> k_vectors{1, 0, 2, 0.5F, 0, 3};

TEST(OutsideVectorsTest, InnerProductsSurviveAndNeighboursComeFromTheVectors) {
  const auto model =
      model_of_vectors(k_products, k_vectors, options_of(2), nullptr, {.name = "v"}, SystemClock());

  ASSERT_TRUE(model.ok()) << model.status();
  const auto row = [&](std::string_view id) { return *(*model)->products().row(id); };
  const FactorModel& factors = (*model)->factors();
  EXPECT_NEAR(factors.score(row("a"), factors.row(row("b\twith a tab"))), 2, 1e-5);
  EXPECT_NEAR(factors.score(row("c"), factors.row(row("b\twith a tab"))), 1.5, 1e-5);
  EXPECT_EQ((*model)->similar().of(row("a")).front().row, row("b\twith a tab"));
}

TEST(OutsideVectorsTest, WhatTheLogKnowsComesBesideTheVectors) {
  DatasetBuilder builder{DatasetOptions{}};
  builder.add(test::purchase("u1", "a", 0, "o1"));
  builder.add(test::purchase("u1", "c", 0, "o1"));
  builder.add(test::purchase("u2", "c", 0, "o2"));
  builder.add(test::purchase("u2", "unknown", 0, "o2"));
  builder.add(test::purchase("u3", "unknown", 0, "o3"));
  const Dataset data = builder.build().value();

  const auto model =
      model_of_vectors(k_products, k_vectors, options_of(2), &data, {.name = "v"}, SystemClock());

  ASSERT_TRUE(model.ok()) << model.status();
  const auto row = [&](std::string_view id) { return *(*model)->products().row(id); };
  EXPECT_GT((*model)->popularity().weights()[row("c")], (*model)->popularity().weights()[row("a")]);
  EXPECT_EQ((*model)->popularity().weights()[row("b\twith a tab")], 0);
}

TEST(OutsideVectorsTest, WhatDoesNotFitIsRefusedAndNamed) {
  const auto refusal = [&](const std::vector<std::string>& products, std::vector<float> vectors) {
    const auto model =
        model_of_vectors(products, vectors, options_of(2), nullptr, {}, SystemClock());
    return std::string(message_of(model.status()));
  };
  std::vector<float> broken = k_vectors;
  broken[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal(k_products, broken), testing::HasSubstr("product 'c'"));
  EXPECT_THAT(refusal(k_products, {1, 2, 3}), testing::HasSubstr("got 3"));
  EXPECT_THAT(refusal({"a", "a", "c"}, k_vectors), testing::HasSubstr("a"));
  EXPECT_NE(refusal({}, {}), "");
}

}  // namespace
}  // namespace vitrine::training
