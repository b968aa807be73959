#include "training/shop_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

using test::k_day;
using test::purchase;
using ::testing::ElementsAre;
using ::testing::SizeIs;

Product described(const std::string& id, std::vector<std::string> categories) {
  Product product;
  product.product_id = id;
  product.categories = std::move(categories);
  return product;
}

// Rows are the other way round than the numbers of the data set, so that no test mixes them up.
class ShopTablesTest : public ::testing::Test {
 protected:
  void buy(std::string_view user, std::string_view product, std::vector<int> days,
           std::string_view market = {}) {
    for (const int day : days) {
      Interaction one = purchase(user, product, day * k_day);
      one.market = market;
      builder_.add(one);
    }
  }
  void finish() {
    data_ = builder_.build().value();
    for (std::size_t i = data_.products.size(); i > 0; --i)
      order_.push_back(static_cast<std::uint32_t>(i - 1));
    descriptions_ = described_rows(data_, order_, catalog_);
  }
  std::vector<std::string> names(std::span<const PopularProduct> list) const {
    std::vector<std::string> result;
    for (const PopularProduct& one : list) result.push_back(data_.products[order_[one.row]]);
    return result;
  }
  std::uint32_t row(std::string_view product) const {
    return static_cast<std::uint32_t>(order_.size()) - 1 - test::number_of(data_.products, product);
  }

  DatasetBuilder builder_{DatasetOptions{}};
  std::vector<Product> catalog_ = {described("milk", {"Food > Dairy > Milk", "Breakfast"}),
                                   described("cheese", {"Food > Dairy"}),
                                   described("bread", {"Food > Bakery"}),
                                   described("fee", {"Food"})};
  Dataset data_;
  std::vector<std::uint32_t> order_;
  Descriptions descriptions_;
};

TEST_F(ShopTablesTest, ACategoryHoldsAllBelowItMostPopularFirst) {
  catalog_.back().hidden = true;
  for (const char* user : {"ann", "bob", "cid"}) buy(user, "bread", {0});
  for (const char* user : {"ann", "bob"}) buy(user, "milk", {0});
  buy("ann", "cheese", {0});
  for (const char* user : {"ann", "bob", "cid", "dan"}) buy(user, "fee", {0});
  finish();
  const PopularLists lists = popular_in_categories(data_, order_, descriptions_, {}).value();
  EXPECT_THAT(names(lists.of("Food")), ElementsAre("bread", "milk", "cheese"));
  EXPECT_THAT(names(lists.of("Food > Dairy")), ElementsAre("milk", "cheese"));
  EXPECT_THAT(names(lists.of("Food > Dairy > Milk")), ElementsAre("milk"));
  EXPECT_THAT(names(lists.of("Breakfast")), ElementsAre("milk"));
  EXPECT_EQ(lists.of("Food").front().weight,
            data_.popularity[test::number_of(data_.products, "bread")]);
  const PopularLists short_lists =
      popular_in_categories(data_, order_, descriptions_, {.popular_max = 2}).value();
  EXPECT_THAT(names(short_lists.of("Food")), ElementsAre("bread", "milk"));
}

TEST_F(ShopTablesTest, EveryMarketHasItsOwnFavourites) {
  buy("ann", "milk", {0}, "DE");
  buy("bob", "milk", {0}, "DE");
  buy("bob", "bread", {0}, "DE");
  buy("cid", "bread", {0}, "FR");
  buy("dan", "cheese", {0});
  finish();
  const PopularLists lists = popular_in_markets(data_, order_, {}).value();
  EXPECT_THAT(lists.lists(), SizeIs(2));
  EXPECT_THAT(names(lists.of("DE")), ElementsAre("milk", "bread"));
  EXPECT_THAT(names(lists.of("FR")), ElementsAre("bread"));
}

TEST_F(ShopTablesTest, BuyAgainIsTheMedianOfTheGapsOfAllPeople) {
  buy("ann", "milk", {0, 7, 14, 24});
  buy("bob", "milk", {3, 4, 11});
  buy("ann", "cheese", {0, 30});
  buy("ann", "bread", {0});
  finish();
  const ShopTableOptions options{.product_repeats_min = 5, .category_repeats_min = 6};
  const BuyAgainTable table = buy_again_intervals(data_, order_, descriptions_, options).value();
  EXPECT_EQ(table.of_product(row("milk")), (BuyAgain{7, 5})) << "7, 7, 10 and 1, 7";
  EXPECT_FALSE(table.of_product(row("cheese"))) << "one gap is not enough";
  EXPECT_FALSE(table.of_product(row("bread")));
  EXPECT_EQ(table.of_category("Food > Dairy")->repeats, 6U);
  EXPECT_EQ(table.of_category("Food > Dairy")->days, 7);
  EXPECT_FALSE(table.categories().contains("Food > Dairy > Milk")) << "five gaps of six";
}

TEST_F(ShopTablesTest, WithoutRepeatsThereIsNoTable) {
  buy("ann", "milk", {0});
  finish();
  EXPECT_EQ(buy_again_intervals(data_, order_, descriptions_, {})->row_count(), 0U);
}

}  // namespace
}  // namespace vitrine::training
