#include "server/app/import/product_rows.h"

#include <gmock/gmock.h>

#include "tests/unit/app/import_files.h"

namespace vitrine::app {
namespace {

std::string product_of(std::vector<RowField> fields, std::string_view currency = {}) {
  std::string json;
  const absl::Status status = append_product(row_of(std::move(fields)), currency, json);
  EXPECT_TRUE(status.ok()) << status;
  return json;
}

TEST(ProductRows, ReadsTheNamesOfCommonExports) {
  EXPECT_EQ(product_of({{"item_id", "p"},
                        {"title", "CAKESTAND"},
                        {"category_path", "Home > Kitchen"},
                        {"first_seen", "2011-01-01T00:00:00Z"},
                        {"n_purchase_lines", "12"}}),
            R"({"product_id":"p","title":"CAKESTAND","categories":["Home > Kitchen"],)"
            R"("created_at":"2011-01-01T00:00:00Z","attributes":{"n_purchase_lines":"12"}})");
}

TEST(ProductRows, HidesWhatIsNoProduct) {
  EXPECT_EQ(product_of({{"item_id", "POST"}, {"is_product", "0"}}),
            R"({"product_id":"POST","hidden":true})");
  EXPECT_EQ(product_of({{"item_id", "p"}, {"is_product", "1"}}),
            R"({"product_id":"p","hidden":false})");
}

TEST(ProductRows, RefusesATruthThatIsNone) {
  std::string json;
  EXPECT_FALSE(append_product(row_of({{"in_stock", "perhaps"}}), {}, json).ok());
}

TEST(ProductRows, SplitsListsAndWritesNumbersBare) {
  EXPECT_EQ(product_of({{"categories", "A > B|C"}, {"stock", "40"}, {"in_stock", "true"}}),
            R"({"categories":["A > B","C"],"stock":40,"in_stock":true})");
}

TEST(ProductRows, KeepsJsonValuesAndJoinsAttributes) {
  EXPECT_EQ(product_of({{"categories", R"(["A"])", true},
                        {"attributes", R"({"color":"white"})", true},
                        {"size", "L"}}),
            R"({"categories":["A"],"attributes":{"size":"L","color":"white"}})");
}

TEST(ProductRows, GivesAPriceTheCurrencyItWasTold) {
  EXPECT_EQ(product_of({{"price", "1.50"}}, "EUR"), R"({"price":"1.50","currency":"EUR"})");
  EXPECT_EQ(product_of({{"price", "1.50"}, {"currency", "GBP"}}, "EUR"),
            R"({"price":"1.50","currency":"GBP"})");
  EXPECT_EQ(product_of({{"title", "x"}}, "EUR"), R"({"title":"x"})");
}

}  // namespace
}  // namespace vitrine::app
