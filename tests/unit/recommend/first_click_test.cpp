// The first click of a new visitor changes their very next answer, and a reason in it names the
// product: always, by construction.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

class FirstClickTest : public Shop {
 protected:
  // Everybody wants the same few things, so that what one person clicks changes little for all.
  void have_customers() {
    std::vector<Deed> deeds;
    for (int i = 0; i < 200; ++i) {
      deeds.push_back({.user_id = "u" + std::to_string(i),
                       .type = EventType::purchase,
                       .product_id = product_id(k_shelves[i % 3 == 0 ? 0 : 1],
                                                static_cast<std::uint32_t>(i % 9)),
                       .age_ms = k_day_ms,
                       .order_id = "o" + std::to_string(i)});
    }
    happen(deeds);
  }

  void expect_answered(const std::string& visitor_id, const std::string& id, std::size_t limit) {
    const RecommendAnswer before = home_of_visitor(visitor_id, limit);
    ASSERT_FALSE(names(before, id)) << id;

    visitor_views(visitor_id, id);

    const RecommendAnswer after = home_of_visitor(visitor_id, limit);
    EXPECT_TRUE(names(after, id)) << id << " of " << visitor_id;
    EXPECT_TRUE(after.personalized);
    EXPECT_EQ(after.products.size(), before.products.size());
  }
};

TEST_F(FirstClickTest, IsAnsweredForEveryProductOfAShopWithAModel) {
  open_shelves();
  have_customers();
  stock({make_product("new in Toys", "Toys > Small"), make_product("new elsewhere", "Books"),
         make_product("in no category", "")});
  for (std::uint32_t row = 0; row < numbers_.size(); ++row) {
    const std::string id(numbers_.id_of(ProductNumber(row)));
    expect_answered("v-" + id, id, 12);
    expect_answered("w-" + id, id, 1);
  }
}

TEST_F(FirstClickTest, ChangesWhichProductsAreShown) {
  open_shelves();
  have_customers();
  for (const Product& product : shelf_products()) {
    const auto before = ids(home_of_visitor(product.product_id));
    visitor_views(product.product_id, product.product_id);
    EXPECT_NE(ids(home_of_visitor(product.product_id)), before) << product.product_id;
  }
}

TEST_F(FirstClickTest, IsAnsweredInAShopWithoutAModel) {
  stock(shelf_products());
  have_customers();
  stock({make_product("in no category", ""), make_product("alone", "Books")});
  for (std::uint32_t number = 0; number < numbers_.size(); ++number) {
    const std::string id(numbers_.id_of(ProductNumber(number)));
    expect_answered("v-" + id, id, 12);
    expect_answered("w-" + id, id, 1);
  }
}

TEST_F(FirstClickTest, IsAnsweredInAShopWithoutACatalog) {
  have_customers();
  for (const std::string id : {"Kitchen-1", "Garden-8"}) expect_answered("v-" + id, id, 5);
}

// The history speaks for other products; one place at least is the click's.
TEST_F(FirstClickTest, OfAReturningCustomerIsAnsweredBesideALongHistory) {
  open_shelves();
  stock({make_product("alone", "Books")});
  std::vector<Deed> history;
  for (std::uint32_t i = 0; i < 3; ++i) {
    history.push_back({.visitor_id = "v1",
                       .type = EventType::cart_add,
                       .product_id = product_id("Kitchen", i),
                       .age_ms = k_day_ms});
  }
  happen(history);
  for (const std::string id : {"alone", "Toys-3"}) {
    visitor_views("v1", id);
    clock_.advance(k_hour_ms);
    for (const std::size_t limit : {1U, 4U}) {
      const RecommendAnswer answer = home_of_visitor("v1", limit);
      EXPECT_TRUE(names(answer, id)) << id;
      EXPECT_EQ(answer.products.size(), limit);
    }
  }
  EXPECT_EQ(shelf_of(home_of_visitor("v1", 4).products.front().product_id), "Kitchen");
}

TEST_F(FirstClickTest, OnWhatIsSoldOutLeadsToWhatIsLikeIt) {
  open_shelves();
  have_customers();
  Product gone = make_product("Toys-4", "Toys > Small");
  gone.in_stock = false;
  stock({gone});

  expect_answered("v1", "Toys-4", 12);

  EXPECT_THAT(ids(home_of_visitor("v1")), testing::Not(testing::Contains("Toys-4")));
}

TEST_F(FirstClickTest, IsAnsweredWhenAnotherVariantIsPopular) {
  std::vector<Product> variants = {make_product("red", ""), make_product("blue", "")};
  for (Product& product : variants) product.group_id = "shirt";
  stock(variants);
  for (int i = 0; i < 5; ++i) visitor_views("u" + std::to_string(i), "red");
  ASSERT_THAT(ids(home_of_visitor("v1")), testing::ElementsAre("red"));

  visitor_views("v1", "blue");

  EXPECT_THAT(ids(home_of_visitor("v1")), testing::ElementsAre("blue"));
}

TEST_F(FirstClickTest, IsAnsweredWhileEightClientsClick) {
  open_shelves();
  have_customers();
  constexpr int k_clients = 8;
  constexpr int k_clicks = 50;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int client = 0; client < k_clients; ++client) {
    clients.emplace_back([&, client] {
      Random random(static_cast<std::uint64_t>(client));
      for (int click = 0; click < k_clicks; ++click) {
        const std::string visitor = "v" + std::to_string(client) + "-" + std::to_string(click);
        const std::string id =
            product_id(k_shelves[random.below(k_shelves.size())],
                       static_cast<std::uint32_t>(random.below(k_shelf_products)));
        const RecommendAnswer before = home_of_visitor(visitor);
        visitor_views(visitor, id);
        const RecommendAnswer after = home_of_visitor(visitor);
        if (names(after, id) && ids(after) != ids(before)) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();

  EXPECT_EQ(answered.load(), k_clients * k_clicks);
}

}  // namespace
}  // namespace vitrine::recommend
