// Over thousands of random requests, in a shop that changes all the time, no answer holds what it
// must not.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

class PropertyTest : public Shop {
 protected:
  std::string any_product() {
    if (random_.below(20) == 0) return "unknown-" + std::to_string(random_.below(5));
    return product_id(k_shelves[random_.below(k_shelves.size())],
                      static_cast<std::uint32_t>(random_.below(k_shelf_products)));
  }
  std::string any_user() { return "u" + std::to_string(random_.below(15)); }

  Product changed_product() {
    const std::string id = any_product();
    Product product = make_product(id, std::string(shelf_of(id)));
    const auto maybe = [&] { return random_.below(4) == 0; };
    product.hidden = maybe();
    product.in_stock = !maybe();
    if (maybe()) product.available_until_ms = clock_.now_ms() + k_hour_ms;
    if (maybe()) product.available_from_ms = clock_.now_ms() + k_hour_ms;
    if (maybe()) product.markets = {"DE"};
    if (maybe()) product.group_id = "group-" + std::to_string(random_.below(3));
    return product;
  }

  void change_something() {
    std::vector<Product> products;
    for (int i = 0; i < 3; ++i) products.push_back(changed_product());
    stock(products);
    std::vector<Deed> deeds;
    for (int i = 0; i < 5; ++i) {
      const EventType type = std::array{EventType::view, EventType::purchase, EventType::cart_add,
                                        EventType::refund}[random_.below(4)];
      deeds.push_back({.user_id = any_user(),
                       .type = type,
                       .product_id = any_product(),
                       .age_ms = static_cast<TimeMs>(random_.below(250)) * k_day_ms,
                       .order_id = "o" + std::to_string(random_.below(100))});
      Counts& counts = deeds_[deeds.back().user_id][deeds.back().product_id];
      const TimeMs time_ms = clock_.now_ms() - deeds.back().age_ms;
      if (type == EventType::purchase) {
        ++counts.purchases;
        counts.last_ms = std::max(counts.last_ms, time_ms);
      }
      if (type == EventType::refund) ++counts.refunds;
      ++counts.all;
    }
    happen(deeds);
    if (random_.below(10) == 0) clock_.advance(k_hour_ms);
  }

  RecommendRequest any_request() {
    RecommendRequest request;
    request.placement = std::array{"home", "product_page", "cart"}[random_.below(3)];
    if (random_.below(4) != 0) request.user_id = any_user();
    if (random_.below(2) == 0 || request.placement == "product_page") {
      request.product_id = any_product();
    }
    for (std::uint64_t i = random_.below(4); i > 0 || request.cart.empty(); i -= i > 0 ? 1 : 0) {
      request.cart.push_back(any_product());
    }
    for (std::uint64_t i = random_.below(20); i > 0; --i) request.exclude.push_back(any_product());
    if (random_.below(4) == 0) request.category = k_shelves[random_.below(k_shelves.size())];
    if (random_.below(3) == 0) request.market = random_.below(2) == 0 ? "DE" : "FR";
    request.limit = 1 + random_.below(60);
    request.personalize = random_.below(5) != 0;
    return request;
  }

  bool is_hidden_purchase(const RecommendRequest& request, const std::string& id) {
    const Counts counts = deeds_[request.user_id][id];
    return request.placement == "home" && request.personalize &&
           counts.purchases > counts.refunds && counts.last_ms >= clock_.now_ms() - 180 * k_day_ms;
  }

  void check_product(const RecommendRequest& request, const RecommendedProduct& shown) {
    const std::string& id = shown.product_id;
    const auto known = catalog_->find(id);
    ASSERT_NE(known, nullptr) << id;
    EXPECT_TRUE(known->is_showable(clock_.now_ms())) << id;
    EXPECT_TRUE(request.market.empty() || known->markets.empty() ||
                known->markets.front() == request.market)
        << id;
    EXPECT_TRUE(request.category.empty() ||
                is_in_category(known->categories.front(), request.category))
        << id;
    EXPECT_THAT(request.exclude, testing::Not(testing::Contains(id)));
    if (request.placement == "cart") {
      EXPECT_THAT(request.cart, testing::Not(testing::Contains(id)));
    }
    if (request.placement == "product_page") {
      EXPECT_NE(id, request.product_id);
      const auto current = catalog_->find(request.product_id);
      if (current != nullptr && !current->group_id.empty()) {
        EXPECT_NE(known->group_id, current->group_id);
      }
    }
    EXPECT_FALSE(is_hidden_purchase(request, id)) << id;
    EXPECT_FALSE(shown.reason.kind.empty()) << id;
    EXPECT_FALSE(shown.reason.text.empty()) << id;
    check_reason(request, shown);
  }

  // A reason that speaks of the person speaks of what this person did.
  void check_reason(const RecommendRequest& request, const RecommendedProduct& shown) {
    const std::string& kind = shown.reason.kind;
    const bool is_of_person = kind == "recent" || kind == "bought_before" || kind == "for_you" ||
                              kind.starts_with("because_you");
    if (!is_of_person) return;
    EXPECT_TRUE(request.personalize) << kind;
    EXPECT_FALSE(request.user_id.empty()) << kind;
    if (kind != "for_you") {
      EXPECT_GT(deeds_[request.user_id][shown.reason.product_id].all, 0) << kind;
    }
    if (kind == "recent") {
      EXPECT_EQ(shown.reason.product_id, shown.product_id);
    }
  }

  struct Counts {
    int purchases = 0;
    int refunds = 0;
    int all = 0;
    TimeMs last_ms = 0;
  };
  Random random_{2026};
  std::map<std::string, std::map<std::string, Counts>> deeds_;  // by user, by product
};

TEST_F(PropertyTest, NoAnswerHoldsAForbiddenProductADuplicateOrSomebodyElsesHistory) {
  open_shelves();
  std::size_t shown = 0;
  for (int round = 0; round < 300; ++round) {
    change_something();
    for (int i = 0; i < 12; ++i) {
      const RecommendRequest request = any_request();
      SCOPED_TRACE(testing::Message() << "round " << round << ", request " << i << " to "
                                      << request.placement << " of " << request.user_id);
      const RecommendAnswer answer = ask(request);

      EXPECT_LE(answer.products.size(), request.limit);
      std::set<std::string> seen;
      std::set<std::string> groups;
      for (const RecommendedProduct& product : answer.products) {
        EXPECT_TRUE(seen.insert(product.product_id).second) << product.product_id;
        check_product(request, product);
        const std::string& group = product.product->group_id;
        EXPECT_TRUE(group.empty() || groups.insert(group).second) << group;
      }
      shown += answer.products.size();
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(shown, 20'000U) << "the property is about answers that hold something";
}

}  // namespace
}  // namespace vitrine::recommend
