#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "model/confidence.h"
#include "model/neighbor_table.h"
#include "model/popularity_table.h"
#include "model/product_table.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

constexpr auto k_invalid = absl::StatusCode::kInvalidArgument;

TEST(ProductTableTest, TellsRowsAndIdsBothWaysAlsoAfterAMove) {
  ProductTable first = ProductTable::create({"b", "a-long-identifier-of-a-product", "c"}).value();
  const ProductTable table = std::move(first);
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.id(1), "a-long-identifier-of-a-product");
  EXPECT_EQ(table.row("b"), 0U);
  EXPECT_EQ(table.row("a-long-identifier-of-a-product"), 1U);
  EXPECT_EQ(table.row("d"), std::nullopt);
}

TEST(ProductTableTest, RefusesEmptyAndRepeatedIds) {
  EXPECT_EQ(ProductTable::create({"a", ""}).status().code(), k_invalid);
  EXPECT_EQ(ProductTable::create({"a", "b", "a"}).status().code(), k_invalid);
  EXPECT_EQ(ProductTable::create({}).value().size(), 0U);
}

TEST(NeighborTableTest, GivesEachRowItsOwnList) {
  const NeighborTable table =
      NeighborTable::create({{{1, 0.9F, 0, 0}, {2, 0.5F, 0, 0}}, {}, {{0, 3, 2, 4}}}).value();
  EXPECT_EQ(table.row_count(), 3U);
  EXPECT_THAT(table.of(0),
              ElementsAre(RelatedProduct{1, 0.9F, 0, 0}, RelatedProduct{2, 0.5F, 0, 0}));
  EXPECT_TRUE(table.of(1).empty());
  EXPECT_THAT(table.of(2), ElementsAre(RelatedProduct{0, 3, 2, 4}));
}

TEST(NeighborTableTest, RefusesListsThatCannotBeTrue) {
  const auto code = [](RelatedProduct related) {
    return NeighborTable::create({{related}, {}}).status().code();
  };
  EXPECT_EQ(code({1, 1, 0, 0}), absl::StatusCode::kOk);
  EXPECT_EQ(code({0, 1, 0, 0}), k_invalid) << "its own neighbour";
  EXPECT_EQ(code({2, 1, 0, 0}), k_invalid) << "outside the table";
  EXPECT_EQ(code({1, std::numeric_limits<float>::quiet_NaN(), 0, 0}), k_invalid);
  EXPECT_EQ(code({1, 1, std::numeric_limits<float>::infinity(), 0}), k_invalid);
  EXPECT_EQ(NeighborTable::create({{{1, 0.5F, 0, 0}, {2, 0.6F, 0, 0}}, {}, {}}).status().code(),
            k_invalid);
  EXPECT_EQ(NeighborTable::restore({}, {}).status().code(), k_invalid);
  EXPECT_EQ(NeighborTable::restore({0, 1, 0}, {}).status().code(), k_invalid);
  EXPECT_EQ(NeighborTable::restore({0, 9, 1}, {{1, 1, 0, 0}}).status().code(), k_invalid);
}

TEST(PopularityTableTest, RanksByFallingWeightAndEqualOnesByRow) {
  const PopularityTable table = PopularityTable::create({1, 5, 0, 5}).value();
  EXPECT_THAT(table.ranking(), ElementsAre(1, 3, 0, 2));
  EXPECT_EQ(table.weight(1), 5);
}

TEST(PopularityTableTest, RefusesWeightsThatAreNegativeOrNotFinite) {
  EXPECT_EQ(PopularityTable::create({-1}).status().code(), k_invalid);
  EXPECT_EQ(PopularityTable::create({std::numeric_limits<float>::quiet_NaN()}).status().code(),
            k_invalid);
}

TEST(ConfidenceRuleTest, HalvesEveryHalfLifeAndNotAtAllWithoutOne) {
  ConfidenceRule rule = ConfidenceRule::defaults();
  rule.half_life_days = 90;
  EXPECT_DOUBLE_EQ(rule.decay(0), 1);
  EXPECT_DOUBLE_EQ(rule.decay(90 * k_day_ms), 0.5);
  EXPECT_DOUBLE_EQ(rule.decay(180 * k_day_ms), 0.25);
  EXPECT_DOUBLE_EQ(rule.decay(-k_day_ms), 1) << "an event from the future is new, not heavy";
  rule.half_life_days = 0;
  EXPECT_DOUBLE_EQ(rule.decay(1000 * k_day_ms), 1);
}

TEST(ConfidenceRuleTest, CapsTheSumBeforeDividingByTheMean) {
  ConfidenceRule rule = ConfidenceRule::defaults();
  rule.cap = 20;
  rule.mean = 8;
  EXPECT_FLOAT_EQ(rule.confidence(8), 1);
  EXPECT_FLOAT_EQ(rule.confidence(4), 0.5F);
  EXPECT_FLOAT_EQ(rule.confidence(1000), 2.5F);
}

TEST(ConfidenceRuleTest, RefusesSettingsOutOfRange) {
  const auto code = [](auto change) {
    ConfidenceRule rule = ConfidenceRule::defaults();
    change(rule);
    return validate(rule).code();
  };
  EXPECT_EQ(code([](ConfidenceRule&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(code([](ConfidenceRule& rule) { rule.weights[1] = -1; }), k_invalid);
  EXPECT_EQ(code([](ConfidenceRule& rule) { rule.half_life_days = -1; }), k_invalid);
  EXPECT_EQ(code([](ConfidenceRule& rule) { rule.cap = 0; }), k_invalid);
  EXPECT_EQ(code([](ConfidenceRule& rule) { rule.mean = 0; }), k_invalid);
}

}  // namespace
}  // namespace vitrine
