#include "training/neighbors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/random.h"

namespace vitrine::training {
namespace {

using ::testing::IsEmpty;

// Orders of random products, where nothing goes with anything; the first thirty orders that hold
// product 0 hold product 1 as well if `planted`.
SparseRows random_orders(bool planted) {
  Random random(8);
  SparseRows orders;
  int pairs = 0;
  for (int order = 0; order < 600; ++order) {
    std::set<std::uint32_t> products;
    while (products.size() < 6) products.insert(static_cast<std::uint32_t>(random.below(120)));
    if (planted && order % 20 == 0) products.insert({0, 1});
    pairs += products.contains(0) && products.contains(1) ? 1 : 0;
    orders.columns.insert(orders.columns.end(), products.begin(), products.end());
    orders.bounds.push_back(orders.columns.size());
  }
  EXPECT_TRUE(!planted || pairs >= 30);
  return orders;
}

std::size_t pairs_told(const NeighborLists& lists) {
  std::size_t told = 0;
  for (const auto& list : lists) told += list.size();
  return told;
}

TEST(FalseDiscoveryTest, WhereNothingGoesTogetherHardlyAnythingIsTold) {
  const SparseRows orders = random_orders(false);
  EXPECT_GT(pairs_told(products_bought_together(orders, 120, {.together_false_share = 1})), 400U)
      << "three orders and a lift above 1 come about by chance";
  EXPECT_LE(pairs_told(products_bought_together(orders, 120, {})), 2U);
}

TEST(FalseDiscoveryTest, APairThatGoesTogetherIsTold) {
  const NeighborLists lists = products_bought_together(random_orders(true), 120, {});
  ASSERT_EQ(lists[0].size(), 1U);
  EXPECT_EQ(lists[0][0].row, 1U);
  ASSERT_EQ(lists[1].size(), 1U);
  EXPECT_EQ(lists[1][0].row, 0U);
}

class ViewedTest : public ::testing::Test {
 protected:
  static constexpr TimeMs k_now = 100 * k_day_ms;
  static constexpr std::uint32_t k_lamp = 0, k_bulb = 1, k_rug = 2, k_clock = 3;

  void look(const std::vector<std::uint32_t>& products, TimeMs age_days = 0) {
    views_.products.insert(views_.products.end(), products.begin(), products.end());
    views_.bounds.push_back(views_.products.size());
    views_.last_ms.push_back(k_now - age_days * k_day_ms);
  }
  NeighborLists lists(const NeighborOptions& options = {}) const {
    return products_viewed_together(views_, 4, k_now, options);
  }
  SessionViews views_;
};

TEST_F(ViewedTest, IsTheCosineOfTheSessionsOfTwoProducts) {
  look({k_lamp, k_bulb});
  look({k_bulb, k_lamp, k_bulb});
  look({k_lamp, k_rug});
  look({k_bulb, k_clock});
  const NeighborLists found = lists();
  ASSERT_EQ(found[k_lamp].size(), 1U) << "the rug was looked at with it once only";
  EXPECT_EQ(found[k_lamp][0].row, k_bulb);
  EXPECT_EQ(found[k_lamp][0].support, 2U) << "twice in one session is once";
  EXPECT_FLOAT_EQ(found[k_lamp][0].score, 2 / std::sqrt(3.0F * 3.0F));
  ASSERT_EQ(found[k_bulb].size(), 1U);
  EXPECT_FLOAT_EQ(found[k_bulb][0].score, found[k_lamp][0].score);
  EXPECT_THAT(lists({.viewed_support_min = 3})[k_lamp], IsEmpty());
  EXPECT_EQ(lists({.viewed_support_min = 1})[k_lamp].size(), 2U);
}

TEST_F(ViewedTest, OldSessionsCountLess) {
  for (int i = 0; i < 2; ++i) {
    look({k_lamp, k_bulb}, 30);
    look({k_lamp, k_rug}, 0);
  }
  const NeighborLists found = lists({.viewed_half_life_days = 30});
  EXPECT_EQ(found[k_lamp][0].row, k_rug);
  EXPECT_FLOAT_EQ(found[k_lamp][0].score, 2 / std::sqrt(3.0F * 2.0F));
  EXPECT_FLOAT_EQ(found[k_lamp][1].score, 1 / std::sqrt(3.0F * 1.0F));
}

TEST_F(ViewedTest, ProductsFarFromEachOtherInASessionAreNoPair) {
  for (int i = 0; i < 2; ++i) look({k_lamp, k_rug, k_clock, k_bulb});
  EXPECT_EQ(lists({.viewed_window = 3})[k_lamp].size(), 3U);
  EXPECT_EQ(lists({.viewed_window = 2})[k_lamp].size(), 2U);
}

TEST_F(ViewedTest, SessionsOfMachinesSayNothing) {
  for (int i = 0; i < 2; ++i) look({k_lamp, k_rug, k_clock, k_bulb});
  EXPECT_THAT(lists({.session_views_max = 3})[k_lamp], IsEmpty());
}

}  // namespace
}  // namespace vitrine::training
