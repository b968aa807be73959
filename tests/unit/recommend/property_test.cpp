// Over thousands of random requests, in a shop that changes all the time, no answer holds what it
// must not.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

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
    products.reserve(3);
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
    const std::string_view kind = shown.reason.kind;
    const bool is_of_person = kind == "recent" || kind == "bought_before" || kind == "for_you" ||
                              kind.starts_with("because_you");
    if (!is_of_person) return;
    EXPECT_TRUE(request.personalize) << kind;
    EXPECT_FALSE(request.user_id.empty()) << kind;
    if (kind != "for_you") {
      EXPECT_GT(deeds_[request.user_id][shown.reason.product_id].all, 0) << kind;
    }
    if (kind == "recent" && shown.reason.product_id != shown.product_id) {
      EXPECT_FALSE(shown.product->group_id.empty()) << "a variant stands in for what was looked at";
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

// The catalog changes in another thread while answers are made: a product is wrong only when it was
// forbidden in every catalog there was during the request.
class ChangingCatalogTest : public PropertyTest {
 protected:
  using Snapshot = std::shared_ptr<const catalog::CatalogSnapshot>;

  void SetUp() override {
    catalog_->on_change([this](const Snapshot& snapshot, std::span<const ProductNumber>) {
      const std::lock_guard lock(mutex_);
      history_.push_back(snapshot);
    });
    open_shelves();
    std::vector<Deed> deeds;
    for (int user = 0; user < 15; ++user) {
      for (int i = 0; i < 12; ++i) deeds.push_back(deed_of("u" + std::to_string(user)));
    }
    happen(deeds);
    use_odd_placements();
  }

  Deed deed_of(const std::string& user) {
    const EventType type =
        std::array{EventType::view, EventType::purchase, EventType::cart_add}[random_.below(3)];
    const Deed deed = {.user_id = user,
                       .type = type,
                       .product_id = any_product(),
                       .age_ms = static_cast<TimeMs>(random_.below(250)) * k_day_ms,
                       .order_id = "o" + std::to_string(random_.below(100))};
    Counts& counts = deeds_[user][deed.product_id];
    if (type == EventType::purchase) {
      ++counts.purchases;
      counts.last_ms = std::max(counts.last_ms, clock_.now_ms() - deed.age_ms);
    }
    ++counts.all;
    return deed;
  }

  // Every stage has something to do.
  void use_odd_placements() {
    change_placement("cart", [](Placement& cart) {
      cart.filter = {.not_brands = {"brand-2"}};
      cart.variety = {.diversity = 0.4F, .category_max = 3, .brand_max = 9};
      cart.rules = {
          {.id = "pin", .kind = RuleKind::pin, .when = {.products = {"Toys-1", "Toys-2"}}},
          {.id = "pin 2", .kind = RuleKind::pin, .when = {.brands = {"brand-1"}}, .position = 4}};
    });
    change_placement("product_page", [](Placement& page) {
      page.variety = {.brand_max = 2, .explores_one_in = 5};
      page.rules = {
          {.id = "bury", .kind = RuleKind::bury, .when = {.brands = {"brand-0"}}, .factor = 0.1F}};
    });
  }

  static Product changed_product(Random& random, TimeMs now_ms) {
    const std::string id = product_id(k_shelves[random.below(k_shelves.size())],
                                      static_cast<std::uint32_t>(random.below(16)));
    Product product = make_product(id, std::string(shelf_of(id)));
    const auto maybe = [&] { return random.below(5) == 0; };
    product.hidden = maybe();
    product.in_stock = !maybe();
    if (maybe()) product.available_until_ms = now_ms;
    if (maybe()) product.available_from_ms = now_ms + k_hour_ms;
    if (maybe()) product.markets = {"DE"};
    if (maybe()) product.group_id = "group-" + std::to_string(random.below(3));
    product.brand = "brand-" + std::to_string(random.below(3));
    product.price = Money{static_cast<std::int64_t>(random.below(100))};
    product.currency = "EUR";
    return product;
  }

  ProductCondition any_condition() {
    ProductCondition condition;
    if (random_.below(2) == 0) condition.brands = {"brand-" + std::to_string(random_.below(3))};
    if (random_.below(4) == 0) condition.not_categories = {"Paper"};
    if (random_.below(4) == 0) condition.price_max = Money{static_cast<int>(random_.below(100))};
    if (random_.below(6) == 0) condition.products = {any_product(), any_product(), any_product()};
    return condition;
  }

  RecommendRequest any_odd_request() {
    RecommendRequest request = any_request();
    request.limit = 1 + random_.below(24);
    if (random_.below(3) == 0) request.filter = any_condition();
    if (random_.below(4) == 0) {
      request.boosts = {{.id = "boost", .when = any_condition(), .factor = 5}};
    }
    return request;
  }

  Snapshot latest() {
    const std::lock_guard lock(mutex_);
    return history_.back();
  }

  // Forgets what was before `from`.
  std::vector<Snapshot> catalogs_since(const Snapshot& from) {
    const std::lock_guard lock(mutex_);
    while (history_.front() != from) history_.pop_front();
    // The catalog publishes a snapshot before it tells of it.
    std::vector<Snapshot> catalogs(history_.begin(), history_.end());
    catalogs.push_back(catalog_->current());
    return catalogs;
  }

  // What the catalog and the request forbid.
  bool is_forbidden(const RecommendRequest& request, const Placement& placement,
                    const catalog::CatalogSnapshot& catalog, ProductNumber number) {
    const Product* const product = catalog.find(number);
    if (product == nullptr || !product->is_showable(clock_.now_ms())) return true;
    if (!request.market.empty() && !product->markets.empty() &&
        product->markets.front() != request.market) {
      return true;
    }
    if (!request.category.empty() &&
        !is_in_category(product->categories.front(), request.category)) {
      return true;
    }
    return !holds(request.filter, *product, clock_.now_ms()) ||
           !holds(placement.filter, *product, clock_.now_ms());
  }

  void check_answer(const RecommendRequest& request, const RecommendAnswer& answer,
                    const std::vector<Snapshot>& catalogs) {
    const auto book = recommender_->placements();
    const Placement& placement = *book->find(request.placement);
    std::set<std::string> seen;
    std::set<std::string> groups;
    std::map<std::string, std::size_t> brands;
    EXPECT_LE(answer.products.size(), request.limit);
    for (const RecommendedProduct& shown : answer.products) {
      const std::string& id = shown.product_id;
      ASSERT_NE(shown.product, nullptr);
      EXPECT_TRUE(seen.insert(id).second) << id;
      EXPECT_FALSE(std::ranges::all_of(catalogs, [&](const Snapshot& catalog) {
        return is_forbidden(request, placement, *catalog, shown.number);
      })) << id;
      const std::string& group = shown.product->group_id;
      EXPECT_TRUE(group.empty() || groups.insert(group).second) << group;
      const std::size_t of_brand = ++brands[shown.product->brand];
      EXPECT_TRUE(placement.variety.brand_max == 0 || of_brand <= placement.variety.brand_max ||
                  shown.product->brand.empty());
      EXPECT_THAT(request.exclude, testing::Not(testing::Contains(id)));
      EXPECT_FALSE(is_hidden_purchase(request, id)) << id;
      if (request.placement == "cart") {
        EXPECT_THAT(request.cart, testing::Not(testing::Contains(id)));
      }
      EXPECT_FALSE(request.placement == "product_page" && id == request.product_id);
      check_reason(request, shown);
      check_named(request, shown);
    }
  }

  // A reason names what this person touched, or what the request itself names.
  void check_named(const RecommendRequest& request, const RecommendedProduct& shown) {
    const std::string& named = shown.reason.product_id;
    if (named.empty() || named == shown.product_id || named == request.product_id) return;
    if (std::ranges::find(request.cart, named) != request.cart.end()) return;
    EXPECT_TRUE(request.personalize) << named;
    EXPECT_GT(deeds_[request.user_id][named].all, 0) << named;
  }

  std::mutex mutex_;
  std::deque<Snapshot> history_;
};

TEST_F(ChangingCatalogTest, ShowsNothingThatWasForbiddenThroughoutTheRequest) {
  constexpr int k_requests = 100'000;
  std::atomic<bool> is_done{false};
  std::size_t changes = 0;
  std::thread changing([&] {
    Random random(11);
    while (!is_done.load()) {
      stock({changed_product(random, clock_.now_ms()), changed_product(random, clock_.now_ms())});
      ++changes;
    }
  });
  std::size_t shown = 0;
  for (int i = 0; i < k_requests && !HasFailure(); ++i) {
    const RecommendRequest request = any_odd_request();
    const Snapshot before = latest();
    const RecommendAnswer answer = ask(request);
    SCOPED_TRACE(testing::Message()
                 << "request " << i << " to " << request.placement << " of " << request.user_id);
    check_answer(request, answer, catalogs_since(before));
    shown += answer.products.size();
  }
  is_done.store(true);
  changing.join();
  EXPECT_GT(shown, 300'000U) << "the property is about answers that hold something";
  EXPECT_GT(changes, 50U) << "and about a catalog that changes";
}

}  // namespace
}  // namespace vitrine::recommend
