#include "server/catalog/product_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/status.h"

namespace vitrine::catalog {
namespace {

using testing::HasSubstr;

absl::StatusOr<Product> parse(std::string_view text) {
  return product_from_json(boost::json::parse({text.data(), text.size()}).as_object());
}
absl::Status patch(std::string_view text, Product& product) {
  return patch_from_json(boost::json::parse({text.data(), text.size()}).as_object(), product);
}
std::string json_of(const Product& product) {
  std::string out;
  append_json(product, out);
  return out;
}

TEST(ProductJsonTest, ReadsTheShapeOfTheApiAndWritesItBack) {
  const auto product = parse(R"({"product_id": "22423", "title": "REGENCY CAKESTAND 3 TIER",
      "categories": ["Home > Kitchen"], "brand": null, "price": "12.75", "currency": "GBP",
      "in_stock": true, "stock": 40, "markets": ["GB"], "available_from": null,
      "available_until": "2027-01-01T00:00:00Z", "hidden": false, "group_id": null, "margin": null,
      "image_url": null, "url": null, "list_price": 15.5, "by_market": null,
      "attributes": {"color": "white", "size": 3, "gone": null},
      "created_at": "2010-12-01T08:45:00Z", "version": 3})");
  ASSERT_TRUE(product.ok()) << product.status();
  EXPECT_EQ(product->price, Money{1275});
  EXPECT_EQ(product->list_price, Money{1550});
  EXPECT_EQ(product->stock, 40);
  EXPECT_EQ(product->created_at_ms, 1'291'193'100'000);
  EXPECT_EQ(product->version, 3U);
  EXPECT_EQ(product->attributes,
            (std::map<std::string, std::string>{{"color", "white"}, {"size", "3"}}));
  EXPECT_FALSE(product->available_from_ms.has_value());

  const std::string written = json_of(*product);
  EXPECT_THAT(written, HasSubstr(R"("price":"12.75","list_price":"15.50","currency":"GBP")"));
  EXPECT_THAT(written, HasSubstr(R"("available_until":"2027-01-01T00:00:00Z")"));
  EXPECT_THAT(written, HasSubstr(R"("brand":null)"));
  EXPECT_EQ(json_of(parse(written).value()), written) << "what is written can be sent back";
}

TEST(ProductJsonTest, NoStockMeansNotInStockUnlessSaid) {
  EXPECT_FALSE(parse(R"({"product_id": "p", "stock": 0})")->in_stock);
  EXPECT_TRUE(parse(R"({"product_id": "p", "stock": 2})")->in_stock);
  EXPECT_TRUE(parse(R"({"in_stock": true, "product_id": "p", "stock": 0})")->in_stock);
  EXPECT_TRUE(parse(R"({"product_id": "p"})")->in_stock);
}

TEST(ProductJsonTest, PricesOfCurrenciesWithOtherDecimals) {
  EXPECT_EQ(parse(R"({"product_id": "p", "price": 1990, "currency": "JPY"})")->price, Money{1990});
  EXPECT_EQ(parse(R"({"product_id": "p", "price": "0.125", "currency": "KWD"})")->price,
            Money{125});
  EXPECT_EQ(parse(R"({"product_id": "p", "price": 1.005, "currency": "GBP"})")->price, Money{101});
}

TEST(ProductJsonTest, ARefusalNamesFieldValueAndWhatIsAllowed) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"title": "x"})", "product_id is required"},
      {R"({"product_id": 7})", "product_id must be a string, got 7"},
      {R"({"product_id": "p", "colour": "red"})",
       "unknown field 'colour': a product has product_id,"},
      {R"({"product_id": "p", "margin": 3})", "unknown field 'margin'"},
      {R"({"product_id": "p", "price": "9.90"})", "currency is required with a price"},
      {R"({"product_id": "p", "price": "cheap", "currency": "EUR"})", "price: 'cheap'"},
      {R"({"product_id": "p", "price": true, "currency": "EUR"})", "price must be a decimal"},
      {R"({"product_id": "p", "in_stock": "yes"})", "in_stock must be true or false, got \"yes\""},
      {R"({"product_id": "p", "stock": 1.5})", "stock must be an integer, got 1.5"},
      {R"({"product_id": "p", "categories": "Home"})", "categories must be a list of strings"},
      {R"({"product_id": "p", "categories": ["a", 1]})", "categories must be a string, got 1"},
      {R"({"product_id": "p", "available_from": "soon"})", "available_from: 'soon'"},
      {R"({"product_id": "p", "attributes": {"a": [1]}})",
       "attributes must be an object of strings"},
  };
  for (const auto& [text, message] : cases) {
    const auto product = parse(text);
    EXPECT_EQ(product.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(message_of(product.status())), HasSubstr(message)) << text;
  }
}

TEST(ProductJsonTest, APatchChangesWhatItNamesAndNullEmpties) {
  Product product = parse(R"({"product_id": "p", "title": "old", "brand": "acme", "price": "5",
                              "currency": "EUR", "hidden": true, "stock": 3})")
                        .value();
  ASSERT_TRUE(
      patch(R"({"title": "new", "brand": null, "hidden": null, "stock": 0})", product).ok());
  EXPECT_EQ(product.title, "new");
  EXPECT_EQ(product.brand, "");
  EXPECT_FALSE(product.hidden);
  EXPECT_FALSE(product.in_stock);
  EXPECT_EQ(product.price, Money{500});
}

TEST(ProductJsonTest, ARefusedPatchLeavesTheProductAlone) {
  Product product = parse(R"({"product_id": "p", "price": "5", "currency": "EUR"})").value();
  for (const char* text : {R"({"title": "new", "stock": "many"})", R"({"currency": null})",
                           R"({"title": "new", "currency": "JPY"})"}) {
    EXPECT_EQ(patch(text, product).code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(product.title, "");
  EXPECT_EQ(product.currency, "EUR");
  EXPECT_TRUE(patch(R"({"currency": "JPY", "price": 600})", product).ok());
  EXPECT_EQ(product.price, Money{600});
}

}  // namespace
}  // namespace vitrine::catalog
