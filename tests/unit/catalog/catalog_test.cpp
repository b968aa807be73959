#include "server/catalog/catalog.h"

#include <gmock/gmock.h>

#include <future>

#include "base/status.h"
#include "tests/support/no_room_once.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::catalog {
namespace {

Product product_of(std::string id, std::string title = "Cake stand") {
  Product product;
  product.product_id = std::move(id);
  product.title = std::move(title);
  return product;
}

Product full_product() {
  Product product = product_of("22423", "REGENCY CAKESTAND 3 TIER");
  product.categories = {"Home > Kitchen", "Gifts"};
  product.brand = "acme";
  product.price = Money{1275};
  product.list_price = Money{1500};
  product.currency = "GBP";
  product.in_stock = false;
  product.stock = 0;
  product.markets = {"GB", "DE"};
  product.available_from_ms = 1'000;
  product.available_until_ms = 2'000;
  product.hidden = true;
  product.group_id = "g1";
  product.image_url = "https://shop.example/i.png";
  product.url = "https://shop.example/p";
  product.attributes = {{"color", "white"}, {"size", "L"}};
  product.created_at_ms = 1'291'193'100'000;
  product.version = 3;
  return product;
}

void expect_same(const Product& a, const Product& b) { EXPECT_EQ(encode(a), encode(b)); }

class CatalogTest : public testing::Test {
 protected:
  std::unique_ptr<Catalog> open(ProductNumbers& numbers) {
    return std::move(Catalog::open(*database_, numbers, {})).value();
  }
  absl::StatusOr<UpsertOutcome> upsert(std::vector<Product> products) {
    std::promise<absl::StatusOr<UpsertOutcome>> answered;
    EXPECT_TRUE(catalog_
                    ->upsert(on_.committer, std::move(products),
                             [&](auto outcome) { answered.set_value(std::move(outcome)); })
                    .ok());
    return answered.get_future().get();
  }
  absl::StatusOr<std::optional<Product>> change(std::string id, Catalog::Change change) {
    std::promise<absl::StatusOr<std::optional<Product>>> answered;
    EXPECT_TRUE(catalog_
                    ->change(on_.committer, std::move(id), std::move(change),
                             [&](auto outcome) { answered.set_value(std::move(outcome)); })
                    .ok());
    return answered.get_future().get();
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  ProductNumbers numbers_;
  const std::unique_ptr<Catalog> catalog_ = open(numbers_);
};

TEST_F(CatalogTest, TheStoredFormKeepsEveryField) {
  const Product product = full_product();
  const Product back = decode_product(encode(product)).value();
  EXPECT_EQ(back.product_id, product.product_id);
  EXPECT_EQ(back.title, product.title);
  EXPECT_EQ(back.categories, product.categories);
  EXPECT_EQ(back.brand, product.brand);
  EXPECT_EQ(back.price, product.price);
  EXPECT_EQ(back.list_price, product.list_price);
  EXPECT_EQ(back.currency, product.currency);
  EXPECT_EQ(back.in_stock, product.in_stock);
  EXPECT_EQ(back.stock, product.stock);
  EXPECT_EQ(back.markets, product.markets);
  EXPECT_EQ(back.available_from_ms, product.available_from_ms);
  EXPECT_EQ(back.available_until_ms, product.available_until_ms);
  EXPECT_EQ(back.hidden, product.hidden);
  EXPECT_EQ(back.group_id, product.group_id);
  EXPECT_EQ(back.image_url, product.image_url);
  EXPECT_EQ(back.url, product.url);
  EXPECT_EQ(back.attributes, product.attributes);
  EXPECT_EQ(back.created_at_ms, product.created_at_ms);
  EXPECT_EQ(back.version, product.version);
  EXPECT_EQ(decode_product("\xff\xff").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(decode_product(encode(product_of("p")))->price.has_value());
}

TEST_F(CatalogTest, EqualProductsHaveEqualBytes) {
  Product product = full_product();
  for (int i = 0; i < 20; ++i) product.attributes["key " + std::to_string(i)] = "value";
  const std::string bytes = encode(product);
  // Kept, so that every decoded product lives at another place.
  std::vector<Product> copies;
  for (int i = 0; i < 50; ++i) {
    copies.push_back(decode_product(bytes).value());
    ASSERT_EQ(encode(copies.back()), bytes);
  }
}

TEST_F(CatalogTest, AnAcknowledgedProductIsInTheSnapshotAndOnDisk) {
  EXPECT_EQ(catalog_->find("p1"), nullptr);
  const auto outcome = upsert({product_of("p1"), product_of("p2")});
  EXPECT_EQ(outcome->upserted, 2U);
  EXPECT_EQ(catalog_->current()->size(), 2U);
  const auto product = catalog_->find("p1");
  ASSERT_NE(product, nullptr);
  EXPECT_EQ(product->version, 1U);
  EXPECT_EQ(product->created_at_ms, CommitterOnStore::k_now_ms);

  ProductNumbers other_numbers;
  const auto reopened = open(other_numbers);
  EXPECT_EQ(reopened->current()->size(), 2U);
  expect_same(*reopened->find("p1"), *product);
}

TEST_F(CatalogTest, KnowsTheVariantsOfAProductThroughEveryChange) {
  const auto in_group = [](std::string id, std::string group) {
    Product product = product_of(std::move(id), "a shirt");
    product.group_id = std::move(group);
    return product;
  };
  const auto variants = [&](std::string_view id) {
    std::vector<std::string> ids;
    for (const ProductNumber other : catalog_->current()->variants_of(*numbers_.find(id))) {
      ids.emplace_back(numbers_.id_of(other));
    }
    return ids;
  };
  ASSERT_TRUE(upsert({in_group("red", "g"), in_group("blue", "g"), in_group("hat", "h"),
                      product_of("bag", "a bag"), in_group("green", "g")})
                  .ok());
  EXPECT_THAT(variants("red"), testing::UnorderedElementsAre("blue", "green"));
  EXPECT_THAT(variants("hat"), testing::IsEmpty());
  EXPECT_THAT(variants("bag"), testing::IsEmpty());

  const auto before = catalog_->current();
  ASSERT_TRUE(upsert({in_group("blue", "h"), in_group("bag", "g")}).ok());
  ASSERT_TRUE(change("green", [](auto) -> absl::StatusOr<std::optional<Product>> {
                return std::nullopt;
              }).ok());
  EXPECT_THAT(variants("red"), testing::ElementsAre("bag"));
  EXPECT_THAT(variants("hat"), testing::ElementsAre("blue"));
  EXPECT_EQ(before->variants_of(*numbers_.find("red")).size(), 2U) << "a snapshot stays as it is";

  ProductNumbers numbers;
  const auto again = open(numbers)->current();
  EXPECT_EQ(again->variants_of(*numbers.find("red")).size(), 1U);
}

TEST_F(CatalogTest, AReplacedProductCountsUpAndKeepsItsBirthday) {
  upsert({product_of("p1", "old")}).status().IgnoreError();
  on_.clock.advance(k_day_ms);
  upsert({product_of("p1", "new"), product_of("p1", "newer")}).status().IgnoreError();
  const auto product = catalog_->find("p1");
  EXPECT_EQ(product->title, "newer");
  EXPECT_EQ(product->version, 3U);
  EXPECT_EQ(product->created_at_ms, CommitterOnStore::k_now_ms);
  EXPECT_EQ(catalog_->current()->size(), 1U);
}

TEST_F(CatalogTest, ABadProductIsRefusedAlone) {
  Product negative = product_of("p2");
  negative.stock = -1;
  const auto outcome = upsert({product_of("p1"), negative, product_of(""), product_of("p3")});
  EXPECT_EQ(outcome->upserted, 2U);
  ASSERT_EQ(outcome->rejected.size(), 2U);
  EXPECT_EQ(outcome->rejected[0].index, 1U);
  EXPECT_NE(outcome->rejected[0].message.find("stock must not be negative, got -1"),
            std::string::npos);
  EXPECT_EQ(outcome->rejected[1].index, 2U);
  EXPECT_EQ(catalog_->find("p2"), nullptr);
  EXPECT_NE(catalog_->find("p3"), nullptr);
}

TEST_F(CatalogTest, AChangeReadsChangesAndWritesAsOneStep) {
  const auto created = change("p1", [](std::optional<Product> before) {
    EXPECT_FALSE(before.has_value());
    return std::optional(product_of("p1", "first"));
  });
  EXPECT_EQ((*created)->version, 1U);
  const auto changed = change("p1", [](std::optional<Product> before) {
    before.value().title += " and second";
    return before;
  });
  EXPECT_EQ((*changed)->title, "first and second");
  EXPECT_EQ((*changed)->version, 2U);
  EXPECT_EQ(catalog_->find("p1")->title, "first and second");
}

TEST_F(CatalogTest, ARefusedChangeChangesNothing) {
  upsert({product_of("p1")}).status().IgnoreError();
  const auto version = catalog_->current()->version();
  EXPECT_EQ(change("p1",
                   [](std::optional<Product>) -> absl::StatusOr<std::optional<Product>> {
                     return conflict("version must be 2, is 1");
                   })
                .status()
                .code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(change("p1",
                   [](std::optional<Product> product) {
                     product.value().stock = -5;
                     return product;
                   })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(change("p1",
                   [](std::optional<Product> product) {
                     product.value().product_id = "p2";
                     return product;
                   })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(catalog_->current()->version(), version);
  EXPECT_EQ(catalog_->find("p1")->version, 1U);
}

TEST_F(CatalogTest, ARemovedProductIsGoneForNewSnapshotsOnly) {
  upsert({product_of("p1"), product_of("p2")}).status().IgnoreError();
  const auto before = catalog_->current();
  const auto remove = [](std::optional<Product>) { return std::optional<Product>(); };
  EXPECT_FALSE(change("p1", remove)->has_value());
  EXPECT_EQ(catalog_->find("p1"), nullptr);
  EXPECT_EQ(catalog_->current()->size(), 1U);
  EXPECT_NE(before->find(*numbers_.find("p1")), nullptr);
  EXPECT_TRUE(change("p1", remove).ok()) << "removing what is not there is no error";
  EXPECT_FALSE(change("never there", remove)->has_value());
  ProductNumbers other_numbers;
  EXPECT_EQ(open(other_numbers)->current()->size(), 1U);
}

TEST_F(CatalogTest, AChangeCopiesItsChunkAndSharesTheOthers) {
  std::vector<Product> products;
  for (int i = 0; i < 1000; ++i) products.push_back(product_of("p" + std::to_string(i)));
  ASSERT_EQ(upsert(std::move(products))->upserted, 1000U);
  const auto before = catalog_->current();
  upsert({product_of("p300", "changed")}).status().IgnoreError();
  const auto after = catalog_->current();

  EXPECT_EQ(after->size(), 1000U);
  std::uint32_t expected = 0;
  after->for_each([&](ProductNumber number, const Product& product) {
    EXPECT_EQ(number, ProductNumber(expected));
    EXPECT_EQ(before->find(number) == &product, expected != 300) << expected;
    ++expected;
  });
  EXPECT_EQ(expected, 1000U);
  EXPECT_EQ(after->version(), before->version() + 1);
  EXPECT_EQ(after->find(ProductNumber(5000)), nullptr);
}

TEST_F(CatalogTest, ASnapshotKnowsWhatIsAlwaysShowableAndWhatHasVariants) {
  Product out = product_of("out");
  out.in_stock = false;
  Product later = product_of("later");
  later.available_from_ms = 1;
  Product until = product_of("until");
  until.available_until_ms = 1;
  Product variant = product_of("variant");
  variant.group_id = "g1";
  ASSERT_TRUE(upsert({product_of("plain"), out, later, until, variant}).ok());
  const auto is_always_showable = [&](std::string_view id) {
    return catalog_->current()->is_always_showable(numbers_.number_of(id));
  };
  EXPECT_TRUE(is_always_showable("plain"));
  EXPECT_TRUE(is_always_showable("variant"));
  EXPECT_FALSE(is_always_showable("out"));
  EXPECT_FALSE(is_always_showable("later"));
  EXPECT_FALSE(is_always_showable("until"));
  EXPECT_FALSE(is_always_showable("nobody put it there"));
  EXPECT_TRUE(catalog_->current()->has_group(numbers_.number_of("variant")));
  EXPECT_FALSE(catalog_->current()->has_group(numbers_.number_of("plain")));

  Product hidden = product_of("plain");
  hidden.hidden = true;
  ASSERT_TRUE(upsert({hidden, product_of("variant")}).ok());
  EXPECT_FALSE(is_always_showable("plain"));
  EXPECT_FALSE(catalog_->current()->has_group(numbers_.number_of("variant")));
}

TEST_F(CatalogTest, AProductThatCouldNotBeWrittenIsNotShown) {
  on_.committer.stop();
  NoRoomOnce narrow(*database_);
  CommitterOnStore on(narrow);
  for (const bool is_written : {false, true}) {
    std::promise<absl::StatusOr<UpsertOutcome>> answered;
    ASSERT_TRUE(catalog_
                    ->upsert(on.committer, {product_of("p1")},
                             [&](auto outcome) { answered.set_value(std::move(outcome)); })
                    .ok());
    EXPECT_EQ(answered.get_future().get().ok(), is_written);
    EXPECT_EQ(catalog_->find("p1") != nullptr, is_written);
  }
  EXPECT_EQ(catalog_->find("p1")->version, 1U);
}

TEST_F(CatalogTest, ListenersHearWhatChangedBeforeTheAnswer) {
  std::string heard;
  catalog_->on_change([&](const std::shared_ptr<const CatalogSnapshot>& snapshot,
                          std::span<const ProductNumber> changed) {
    EXPECT_EQ(catalog_->current(), snapshot);
    for (const ProductNumber number : changed) {
      heard +=
          std::string(numbers_.id_of(number)) + (snapshot->find(number) != nullptr ? "+ " : "- ");
    }
  });
  upsert({product_of("p1"), product_of("p2"), product_of("p1")}).status().IgnoreError();
  EXPECT_EQ(heard, "p1+ p2+ ");
  change("p2", [](std::optional<Product>) { return std::optional<Product>(); })
      .status()
      .IgnoreError();
  EXPECT_EQ(heard, "p1+ p2+ p2- ");
  upsert({}).status().IgnoreError();
  EXPECT_EQ(heard, "p1+ p2+ p2- ");
}

}  // namespace
}  // namespace vitrine::catalog
