#include "index/row_filter.h"

#include <gmock/gmock.h>

#include <set>

#include "base/random.h"

namespace vitrine::index {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint32_t> rows_of(const RowFilter& filter) {
  std::vector<std::uint32_t> rows;
  filter.for_each([&](std::uint32_t row) { rows.push_back(row); });
  return rows;
}

RowFilter filter_with(std::size_t row_count, std::initializer_list<std::uint32_t> rows) {
  RowFilter filter = RowFilter::none(row_count);
  for (const std::uint32_t row : rows) filter.set(row);
  return filter;
}

TEST(RowFilterTest, AllContainsEveryRowAndNothingBehindTheLast) {
  for (const std::size_t row_count : {0U, 1U, 63U, 64U, 65U, 200U}) {
    const RowFilter filter = RowFilter::all(row_count);
    EXPECT_EQ(filter.count(), row_count);
    EXPECT_FALSE(filter.contains(static_cast<std::uint32_t>(row_count)));
    EXPECT_EQ((~filter).count(), 0U);
  }
}

TEST(RowFilterTest, CombinesLikeSets) {
  const RowFilter a = filter_with(130, {0, 5, 64, 129});
  const RowFilter b = filter_with(130, {5, 63, 129});

  RowFilter both = a;
  both &= b;
  RowFilter either = a;
  either |= b;

  EXPECT_THAT(rows_of(both), ElementsAre(5, 129));
  EXPECT_THAT(rows_of(either), ElementsAre(0, 5, 63, 64, 129));
  EXPECT_EQ((~a).count(), 126U);
  EXPECT_FALSE((~a).contains(64));
  EXPECT_TRUE((~a).contains(65));
}

TEST(RowFilterTest, ClearsAndSetsOneRow) {
  RowFilter filter = filter_with(70, {3, 69});

  filter.clear(69);
  filter.set(68);

  EXPECT_THAT(rows_of(filter), ElementsAre(3, 68));
}

TEST(RowFilterTest, GrowsByRowsThatAreNotInIt) {
  RowFilter filter = RowFilter::all(60);

  filter.grow(140);

  EXPECT_EQ(filter.row_count(), 140U);
  EXPECT_EQ(filter.count(), 60U);
  EXPECT_FALSE(filter.contains(60));
  EXPECT_FALSE(filter.contains(139));
}

TEST(RowFilterTest, ReadsSixtyFourRowsFromAnyRow) {
  Random random(7);
  RowFilter filter = RowFilter::none(300);
  for (std::uint32_t row = 0; row < 300; ++row) {
    if (random.below(2) == 0) filter.set(row);
  }
  for (std::uint32_t first = 0; first < 310; ++first) {
    std::uint64_t expected = 0;
    for (std::uint32_t i = 0; i < 64; ++i) {
      expected |= static_cast<std::uint64_t>(filter.contains(first + i)) << i;
    }
    ASSERT_EQ(filter.bits_from(first), expected) << "from row " << first;
  }
}

TEST(RowFilterDeathTest, RefusesToCombineFiltersOfDifferentSnapshots) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  RowFilter small = RowFilter::all(10);
  EXPECT_DEATH(small &= RowFilter::all(11), "same snapshot");
}

}  // namespace
}  // namespace vitrine::index
