#include "server/app/catalog_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/status.h"
#include "tests/support/temp_folder.h"

namespace vitrine::app {
namespace {

using ::testing::HasSubstr;

class ReadProductsTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<Product>> read(const std::string& content) {
    std::ofstream(folder_ / "products.csv") << content;
    return read_products(folder_ / "products.csv", {});
  }
  TempFolder folder_;
};

TEST_F(ReadProductsTest, ReadsWhatImportReads) {
  const auto products = read(
      "item_id,title,category_path,price,currency,is_product\n"
      "1,Lamp,Home > Lamps,9.90,EUR,1\n"
      "POST,Postage,,3,EUR,0\n");
  ASSERT_TRUE(products.ok()) << message_of(products.status());
  ASSERT_EQ(products->size(), 2U);
  EXPECT_EQ(products->at(0).title, "Lamp");
  EXPECT_EQ(products->at(0).categories.front(), "Home > Lamps");
  EXPECT_EQ(products->at(0).price->minor, 990);
  EXPECT_TRUE(products->at(1).hidden);
}

TEST_F(ReadProductsTest, OfTwoRowsWithOneIdTheLastIsGood) {
  const auto products = read("product_id,title\n1,Lamp\n2,Rug\n1,Brass lamp\n");
  ASSERT_TRUE(products.ok()) << message_of(products.status());
  ASSERT_EQ(products->size(), 2U);
  EXPECT_EQ(products->at(0).title, "Brass lamp");
}

TEST_F(ReadProductsTest, TellsTheLineThatIsNoProduct) {
  const auto products = read("product_id,title,price\n1,Lamp,\n2,Rug,nine\n");
  EXPECT_EQ(products.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message_of(products.status()), HasSubstr("products.csv:3: "));
  EXPECT_FALSE(read_products(folder_ / "none.csv", {}).ok());
}

}  // namespace
}  // namespace vitrine::app
