#include "server/coupons/coverage.h"

#include <gtest/gtest.h>

namespace vitrine::coupons {
namespace {

class CoverageTest : public testing::Test {
 protected:
  CoverageTest() {
    Product tea;
    tea.product_id = "tea";
    tea.categories = {"Drinks"};
    Product cup;
    cup.product_id = "cup";
    catalog_ = catalog::Catalog::in_memory({tea, cup}, numbers_);
  }
  bool covers(const Coverage& coverage, std::string_view product) const {
    return coverage.covers(product, *catalog_, 0);
  }

  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_;
  const recommend::ProductExpression drinks_ =
      recommend::ProductExpression::parse(R"("Drinks" in categories)").value();
};

TEST_F(CoverageTest, WithoutAnythingEveryProductIsCovered) {
  const Coverage all;
  EXPECT_TRUE(all.is_empty());
  EXPECT_TRUE(covers(all, "tea") && covers(all, "unknown"));
}

TEST_F(CoverageTest, AListCoversItsProductsWhetherTheCatalogKnowsThemOrNot) {
  Coverage list;
  list.only({"unknown", "cup", "cup"});
  EXPECT_FALSE(list.is_empty());
  EXPECT_EQ(list.ids(), (std::vector<std::string>{"cup", "unknown"}));
  EXPECT_TRUE(covers(list, "cup") && covers(list, "unknown"));
  EXPECT_FALSE(covers(list, "tea"));
}

TEST_F(CoverageTest, AnExpressionBesideAListHoldsToo) {
  Coverage both = drinks_;
  EXPECT_TRUE(covers(both, "tea"));
  EXPECT_FALSE(covers(both, "cup") || covers(both, "unknown"));
  both.only({"tea", "cup"});
  EXPECT_TRUE(covers(both, "tea"));
  EXPECT_FALSE(covers(both, "cup"));
}

}  // namespace
}  // namespace vitrine::coupons
