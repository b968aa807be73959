// What a narrow request asks for is known in bits, through every change of the catalog.
#include "server/recommend/assortment.h"

#include <gmock/gmock.h>

#include "server/recommend/product_predicate.h"
#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

class AssortmentTest : public Shop {
 protected:
  std::shared_ptr<const Assortment> asked(const ProductCondition& filter) {
    const AssortmentScope scope = {
        .category = {}, .market = {}, .request_filter = filter, .placement_filter = everything_};
    return book_.find(scope, numbers_, catalog_->current(), model_.current(), clock_.now_ms());
  }

  // Asks every product anew.
  void expect_right(const ProductCondition& filter) {
    const auto assortment = asked(filter);
    const auto catalog = catalog_->current();
    const auto live = model_.current();
    ASSERT_NE(assortment, nullptr);
    ASSERT_EQ(assortment->rows().row_count(), live->row_count());
    for (std::uint32_t i = 0; i < numbers_.size(); ++i) {
      const Product* const product = catalog->find(ProductNumber(i));
      const bool is_in = product != nullptr && holds(filter, *product, clock_.now_ms());
      EXPECT_EQ(assortment->contains(ProductNumber(i)), is_in) << numbers_.id_of(ProductNumber(i));
      if (const auto row = live->row_of(ProductNumber(i))) {
        EXPECT_EQ(assortment->rows().contains(*row), is_in) << *row;
      }
    }
  }

  const ProductCondition everything_;
  AssortmentBook book_;
};

TEST_F(AssortmentTest, FollowsTheCatalogAndTheModelAsIfAskedAnew) {
  const ProductCondition acme = {.brands = {"acme"}};
  EXPECT_EQ(asked(acme), nullptr) << "the catalog is empty";
  stock(shelf_products());
  expect_right(acme);
  model_.use(shelf_model(), *catalog_);
  expect_right(acme);

  Random random(5);
  for (int round = 0; round < 60; ++round) {
    std::vector<Product> products;
    for (int i = 0; i < 3; ++i) {
      // Some are new: they get rows behind the model's.
      products.push_back(make_product(
          product_id(k_shelves[random.below(4)], static_cast<std::uint32_t>(random.below(20))),
          "Garden"));
      products.back().brand = random.below(2) == 0 ? "acme" : "other";
    }
    stock(products);
    if (round == 30) model_.use(shelf_model(), *catalog_);
    if (random.below(2) == 0) expect_right(acme);
    if (HasFailure()) return;
  }
  EXPECT_GT(asked(acme)->products().count(), 5U);
}

TEST_F(AssortmentTest, IsKeptUntilSomethingChanges) {
  open_shelves();
  const ProductCondition garden = {.categories = {"Garden"}};
  const auto first = asked(garden);
  EXPECT_EQ(asked(garden), first);
  EXPECT_NE(asked({.categories = {"Toys"}}), first);
  EXPECT_EQ(asked(garden), first);

  stock({make_product("Garden-99", "Garden")});

  EXPECT_NE(asked(garden), first);
  EXPECT_EQ(asked(garden)->products().count(), k_shelf_products + 1U);
}

TEST_F(AssortmentTest, IsForgottenWhenOthersAreAskedForOrNobodyAsks) {
  open_shelves();
  const ProductCondition garden = {.categories = {"Garden"}};
  const std::weak_ptr<const Assortment> first = asked(garden);
  for (std::size_t i = 0; i < AssortmentBook::k_kept_max; ++i) {
    clock_.advance(1);
    asked({.brands = {std::to_string(i)}});
  }
  EXPECT_TRUE(first.expired());

  const std::weak_ptr<const Assortment> second = asked(garden);
  clock_.advance(AssortmentBook::k_kept_ms_max + 1);
  asked({.brands = {"another"}});
  EXPECT_TRUE(second.expired());
}

TEST(ProductPredicateTest, AnswersAsTheConditionItIsMadeOf) {
  Random random(7);
  const auto pick = [&](std::vector<std::string> from) {
    std::vector<std::string> some;
    for (const std::string& value : from) {
      if (random.below(3) == 0) some.push_back(value);
    }
    return some;
  };
  int held = 0;
  for (int i = 0; i < 20'000; ++i) {
    Product product = make_product(std::array{"a", "b", "c"}[random.below(3)],
                                   std::array{"x > y", "x", "z", ""}[random.below(4)]);
    product.brand = std::array{"acme", "other", ""}[random.below(3)];
    product.currency = random.below(2) == 0 ? "EUR" : "USD";
    if (random.below(3) != 0) product.price = Money{static_cast<std::int64_t>(random.below(10))};
    if (random.below(2) == 0) product.attributes = {{"color", "red"}};
    ProductCondition condition = {.products = pick({"b", "a"}),
                                  .categories = pick({"x", "x > y", "z"}),
                                  .brands = pick({"other", "acme"}),
                                  .not_categories = pick({"z"}),
                                  .not_brands = pick({"other"})};
    if (random.below(3) == 0) condition.price_min = Money{static_cast<int>(random.below(6))};
    if (random.below(3) == 0) condition.price_max = Money{static_cast<int>(random.below(9))};
    if (random.below(3) == 0) condition.currency = "EUR";
    if (random.below(3) == 0) condition.attributes = {{"color", "red"}};
    const bool expected = holds(condition, product, 0);
    EXPECT_EQ(compile(condition)->holds(product, 0), expected);
    held += expected ? 1 : 0;
  }
  EXPECT_GT(held, 200);
}

TEST(ProductPredicateTest, HasAKeyOfItsOwnForEveryCondition) {
  const std::vector<ProductCondition> conditions = {
      {},
      {.products = {"a"}},
      {.products = {"a", "b"}},
      {.products = {"a1:b"}},
      {.categories = {"a"}},
      {.brands = {"a"}},
      {.not_categories = {"a"}},
      {.not_brands = {"a"}},
      {.price_min = Money{1}},
      {.price_max = Money{1}},
      {.currency = "EUR"},
      {.attributes = {{"a", "b"}}},
      {.attributes = {{"ab", ""}}},
      {.expression = *ProductExpression::parse("price < 1")},
      {.expression = *ProductExpression::parse("price < 2")},
      {.expression = *ProductExpression::parse("days_since(created_at) < 2")},
  };
  std::set<std::string> keys;
  for (const ProductCondition& condition : conditions) {
    std::string key;
    append_key(condition, 0, key);
    EXPECT_TRUE(keys.insert(key).second) << key;
  }
}

TEST(ProductPredicateTest, KeepsItsKeyAsLongAsItsAnswers) {
  const auto key_at = [](std::string_view text, TimeMs now_ms) {
    std::string key;
    append_key({.expression = *ProductExpression::parse(text)}, now_ms, key);
    return key;
  };
  EXPECT_EQ(key_at("price < 1", 0), key_at("price < 1", k_day_ms));
  const std::string_view moving = "days_since(created_at) < 2";
  EXPECT_EQ(key_at(moving, 0), key_at(moving, k_hour_ms - 1));
  EXPECT_NE(key_at(moving, 0), key_at(moving, k_hour_ms));
}

}  // namespace
}  // namespace vitrine::recommend
