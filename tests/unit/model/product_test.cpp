#include "model/product.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(ProductTest, IsShowableInsideItsWindowWhenInStockAndNotHidden) {
  Product product;
  product.available_from_ms = 100;
  product.available_until_ms = 200;
  EXPECT_FALSE(product.is_showable(99));
  EXPECT_TRUE(product.is_showable(100));
  EXPECT_FALSE(product.is_showable(200));
  product.in_stock = false;
  EXPECT_FALSE(product.is_showable(150));
  product.in_stock = true;
  product.hidden = true;
  EXPECT_FALSE(product.is_showable(150));
}

TEST(ProductTest, ValidationNamesTheFieldAndWhatIsAllowed) {
  const auto message = [](auto change) {
    Product product;
    product.product_id = "p1";
    change(product);
    return std::string(validate(product, ProductLimits{}).message());
  };
  EXPECT_EQ(message([](Product&) {}), "");
  EXPECT_EQ(message([](Product& p) { p.product_id.clear(); }), "product_id is required");
  EXPECT_EQ(message([](Product& p) { p.product_id = std::string(257, 'x'); }),
            "product_id must be at most 256 bytes, got 257");
  EXPECT_EQ(message([](Product& p) { p.price = Money{100}; }), "currency is required with a price");
  EXPECT_EQ(message([](Product& p) { p.categories.assign(33, "a"); }),
            "categories must have at most 32 entries, got 33");
  EXPECT_EQ(message([](Product& p) { p.title = "\xff"; }), "title must be valid UTF-8");
  EXPECT_EQ(message([](Product& p) { p.stock = -1; }), "stock must not be negative, got -1");
}

TEST(ProductTest, CategoriesNestByPathNotByPrefix) {
  EXPECT_TRUE(is_in_category("Home > Kitchen > Cakes", "Home > Kitchen"));
  EXPECT_TRUE(is_in_category("Home", "Home"));
  EXPECT_FALSE(is_in_category("Homeware", "Home"));
  EXPECT_FALSE(is_in_category("Home", "Home > Kitchen"));
}

}  // namespace
}  // namespace vitrine
