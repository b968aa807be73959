#include <gmock/gmock.h>

#include "tests/unit/collect/tracked.h"

namespace vitrine::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view k_order = R"({
    "checkout_id": "c-1", "order_id": "o-1", "affiliation": "web", "total": 27.50, "subtotal": 22.50,
    "revenue": 25.00, "shipping": 3, "tax": 2, "discount": 2.5, "coupon": "hasbros",
    "currency": "EUR", "products": [
      {"product_id": "p1", "sku": "s1", "name": "One", "price": 19, "quantity": 1, "position": "1"},
      {"product_id": "p2", "price": "3.00", "quantity": 2, "coupon": "line"}]})";

class TrackedEventTest : public TrackingTest {
 protected:
  static std::string net_of(const Event& event) {
    const boost::json::object order = properties(event).at("order").as_object();
    return fmt::format("{} by {}", order.at("net").as_string().c_str(),
                       order.at("net_rule").as_string().c_str());
  }
};

TEST_F(TrackedEventTest, KnowsTheNamesOfThreeSpecifications) {
  const auto type_of = [&](std::string_view name) {
    return name_of(track(name, R"({"product_id": "p"})").at(0).event.type);
  };
  EXPECT_EQ(type_of("Product Viewed"), "view");
  EXPECT_EQ(type_of("Viewed Product"), "view");
  EXPECT_EQ(type_of("view_item"), "view");
  EXPECT_EQ(type_of("Product Clicked"), "click");
  EXPECT_EQ(type_of("select_item"), "click");
  EXPECT_EQ(type_of("Product Added"), "cart_add");
  EXPECT_EQ(type_of("Added Product"), "cart_add");
  EXPECT_EQ(type_of("add_to_cart"), "cart_add");
  EXPECT_EQ(type_of("Product Removed"), "cart_remove");
  EXPECT_EQ(type_of("remove_from_cart"), "cart_remove");
  EXPECT_EQ(type_of("Product Added to Wishlist"), "wish_add");
  EXPECT_EQ(type_of("Product Removed from Wishlist"), "wish_remove");
  EXPECT_EQ(type_of("Wishlist Product Added to Cart"), "cart_add");
  EXPECT_EQ(type_of("Product List Viewed"), "list_view");
  EXPECT_EQ(type_of("Cart Viewed"), "cart_view");
  EXPECT_EQ(type_of("Checkout Started"), "checkout");
  EXPECT_EQ(type_of("Payment Info Entered"), "checkout");
  EXPECT_EQ(type_of("Order Completed"), "purchase");
  EXPECT_EQ(type_of("Completed Order"), "purchase");
  EXPECT_EQ(type_of("Order Updated"), "order_update");
  EXPECT_EQ(type_of("Order Refunded"), "refund");
  EXPECT_EQ(type_of("Order Cancelled"), "cancel");
  EXPECT_EQ(type_of("Products Searched"), "search");
  EXPECT_EQ(type_of("Promotion Viewed"), "promo_view");
  EXPECT_EQ(type_of("select_promotion"), "promo_click");
  EXPECT_EQ(type_of("Coupon Entered"), "coupon_enter");
  EXPECT_EQ(type_of("Coupon Applied"), "coupon_apply");
  EXPECT_EQ(type_of("Coupon Denied"), "coupon_deny");
  EXPECT_EQ(type_of("Coupon Removed"), "coupon_remove");
  EXPECT_EQ(type_of("Product Shared"), "share");
  EXPECT_EQ(type_of("Product Reviewed"), "review");
  EXPECT_EQ(type_of("Signed Up"), "sign_up");
  EXPECT_EQ(type_of("login"), "login");
  EXPECT_EQ(type_of("not_interested"), "not_interested") << "ours are known too";
}

TEST_F(TrackedEventTest, NamesAreComparedWithoutCaseAndHoweverTheWordsAreParted) {
  for (const std::string_view name :
       {"PRODUCT VIEWED", "product_viewed", "Product-Viewed", " product  viewed ", "View_Item"}) {
    EXPECT_EQ(one(track(name, R"({"product_id": "p"})")).type, EventType::view) << name;
  }
}

TEST_F(TrackedEventTest, AnUnknownNameIsRefusedWithIt) {
  EXPECT_THAT(refusal(track("Product Danced", "{}")),
              StartsWith("unknown_type event: event must be a name of"));
  EXPECT_THAT(refusal(track("Product Danced", "{}")), HasSubstr("got \"Product Danced\""));
  EXPECT_THAT(refusal(message(R"("type": "track")")), StartsWith("missing_event event"));
}

TEST_F(TrackedEventTest, AProductsFieldsFindTheirPlaces) {
  const Event event = one(track("Product Added", R"({
      "product_id": 507, "sku": "G-32", "price": 18.99, "quantity": "2", "currency": "usd",
      "coupon": "MAY", "position": "3", "cart_id": "c", "recommendation_id": "r", "brand": null,
      "session_id": "s", "market": "DE", "mine": {"deep": [1]}})"));
  EXPECT_EQ(event.event_id, "m");
  EXPECT_EQ(event.visitor_id, "v");
  EXPECT_EQ(event.product_id, "507") << "ids may be numbers";
  EXPECT_EQ(event.price, Money{1899});
  EXPECT_EQ(event.quantity, 2);
  EXPECT_EQ(event.currency, "USD");
  EXPECT_EQ(event.coupon_code, "MAY");
  EXPECT_EQ(event.recommendation_id, "r");
  EXPECT_EQ(event.session_id, "s");
  EXPECT_EQ(event.market, "DE");
  EXPECT_EQ(properties(event), boost::json::parse(R"({"sku": "G-32", "position": 3, "cart_id": "c",
                                                      "mine": {"deep": [1]}})"));
}

TEST_F(TrackedEventTest, APositionIsANumberForProductsAndATextForPromotions) {
  EXPECT_EQ(properties(one(track("Product Clicked", R"({"product_id": "p", "position": 3})")))
                .at("position"),
            3);
  EXPECT_EQ(properties(one(track("Product Clicked", R"({"product_id": "p", "position": "3"})")))
                .at("position"),
            3);
  EXPECT_EQ(properties(one(track("Promotion Viewed",
                                 R"({"promotion_id": "x", "position": "home_banner_top"})"))),
            boost::json::parse(R"({"promotion_id": "x", "position": "home_banner_top"})"));
  EXPECT_EQ(properties(one(track("Promotion Clicked", R"({"position": "3"})"))).at("position"),
            "3");
}

TEST_F(TrackedEventTest, TheCatalogChoosesBetweenProductIdAndSku) {
  const auto chosen = [&](std::string_view fields) {
    return one(track("Product Viewed", fields)).product_id;
  };
  constexpr std::string_view k_both = R"({"product_id": "p", "sku": "s"})";
  EXPECT_EQ(chosen(k_both), "p") << "neither is known";
  EXPECT_EQ(chosen(R"({"sku": "s"})"), "s");
  EXPECT_EQ(chosen(R"({"id": "old", "sku": "s"})"), "old") << "version 1";
  catalog_ = {"s"};
  EXPECT_EQ(chosen(k_both), "s");
  EXPECT_EQ(properties(one(track("Product Viewed", k_both))).at("product_id"), "p") << "is kept";
  catalog_ = {"s", "p"};
  EXPECT_EQ(chosen(k_both), "p");
}

TEST_F(TrackedEventTest, AMissingCurrencyIsTheSourcesOwnAndNeverDollars) {
  constexpr std::string_view k_fields = R"({"product_id": "p", "price": 1990})";
  EXPECT_EQ(one(track("Product Added", k_fields)).currency, "");
  options_.currency = "JPY";
  const Event event = one(track("Product Added", k_fields));
  EXPECT_EQ(event.currency, "JPY");
  EXPECT_EQ(event.price, Money{1990});
  EXPECT_EQ(
      one(track("Product Added", R"({"product_id": "p", "price": 1, "currency": "EUR"})")).currency,
      "EUR");
}

TEST_F(TrackedEventTest, AnOrderIsOnePurchaseALineWithItsTotalsOnTheFirst) {
  const auto lines = track("Order Completed", k_order);
  ASSERT_EQ(lines.size(), 2U);
  const Event& first = lines[0].event;
  const Event& second = lines[1].event;
  EXPECT_EQ(first.event_id, "m#0");
  EXPECT_EQ(second.event_id, "m#1");
  EXPECT_EQ(first.order_id, "o-1");
  EXPECT_EQ(second.order_id, "o-1");
  EXPECT_EQ(first.product_id, "p1");
  EXPECT_EQ(second.product_id, "p2");
  EXPECT_EQ(second.quantity, 2);
  EXPECT_EQ(second.price, Money{300});
  EXPECT_EQ(second.currency, "EUR");
  EXPECT_EQ(first.coupon_code, "hasbros");
  EXPECT_EQ(second.coupon_code, "line");
  EXPECT_EQ(properties(first).at("order"), boost::json::parse(R"({
      "subtotal": "22.50", "total": "27.50", "revenue": "25.00", "shipping": "3.00", "tax": "2.00",
      "discount": "2.50", "net": "22.50", "net_rule": "subtotal", "currency": "EUR",
      "checkout_id": "c-1", "affiliation": "web"})"));
  EXPECT_EQ(properties(first).at("position"), 1);
  EXPECT_EQ(second.properties_json, "");
}

// Segment's own example, field by field: revenue is before the discount there, and all three ways
// lead to 22.50.
TEST_F(TrackedEventTest, NetIsFoundByTheFirstRuleThatAppliesAndSaysWhich) {
  const auto net = [&](std::string_view totals) {
    return net_of(track("Order Completed", fmt::format(R"({{"order_id": "o", "currency": "EUR", {},
                                         "products": [{{"product_id": "p"}}]}})",
                                                       totals))
                      .at(0)
                      .event);
  };
  EXPECT_EQ(net(R"("subtotal": 22.5, "total": 1, "revenue": 1)"), "22.50 by subtotal");
  EXPECT_EQ(net(R"("total": 27.50, "shipping": 3, "tax": 2, "revenue": 25)"),
            "22.50 by total_less_shipping_and_tax");
  EXPECT_EQ(net(R"("total": "27.50")"), "27.50 by total_less_shipping_and_tax");
  EXPECT_EQ(net(R"("revenue": 25.00, "discount": 2.50, "tax": 2)"),
            "22.50 by revenue_less_discount");
  EXPECT_EQ(net(R"("value": 22.50)"), "22.50 by value");
  EXPECT_EQ(net(R"("total": 4, "shipping": 5, "revenue": 3)"), "3.00 by revenue_less_discount")
      << "less than nothing is no answer";
  EXPECT_EQ(net(R"("subtotal": "free", "revenue": 3)"), "3.00 by revenue_less_discount");
}

TEST_F(TrackedEventTest, AnOrderWithoutAnyTotalHasNoNet) {
  const auto lines =
      track("Order Completed", R"({"order_id": "o", "products": [{"product_id": "p"}]})");
  EXPECT_EQ(one(lines).properties_json, "");
}

TEST_F(TrackedEventTest, ABadLineIsRefusedAloneAndTheTotalsMoveOn) {
  const auto lines = track("Order Completed", R"({"order_id": "o", "subtotal": 3, "products": [
      {"product_id": "p1", "price": "cheap"}, "p2", {"product_id": "p3", "quantity": 1.5},
      {"product_id": "p4"}]})");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].refusal->code, "invalid_price");
  EXPECT_EQ(lines[0].raw, R"({"product_id":"p1","price":"cheap"})");
  EXPECT_EQ(lines[1].refusal->field, "products[1]");
  EXPECT_EQ(lines[2].refusal->message, "quantity must be an integer, got 1.5");
  EXPECT_FALSE(lines[3].refusal.has_value());
  EXPECT_EQ(net_of(lines[3].event), "3.00 by subtotal");
}

TEST_F(TrackedEventTest, AnOrderWithoutLinesIsRefusedUnlessItNamesItsProductItself) {
  EXPECT_THAT(refusal(track("Order Completed", R"({"order_id": "o", "total": 5})")),
              StartsWith("missing_product products"));
  const Event event = one(track("purchase", R"({"order_id": "o", "product_id": "p", "price": 5})"));
  EXPECT_EQ(event.type, EventType::purchase);
  EXPECT_EQ(event.product_id, "p");
}

TEST_F(TrackedEventTest, AMessageHasAtMostSoManyProducts) {
  options_.products_max = 2;
  EXPECT_EQ(track("Order Completed", k_order).size(), 2U);
  options_.products_max = 1;
  EXPECT_EQ(refusal(track("Order Completed", k_order)),
            "too_many_products products: products must have at most 1 entries, got 2");
  EXPECT_THAT(refusal(track("Cart Viewed", k_order)), StartsWith("too_many_products"));
}

TEST_F(TrackedEventTest, RefundsTakeBackTheLinesThatAreNamed) {
  const auto lines = track("Order Refunded", R"({"order_id": "o", "total": 5, "currency": "EUR",
      "products": [{"product_id": "p1", "quantity": 2}, {"product_id": "p2"}]})");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].event.type, EventType::refund);
  EXPECT_EQ(lines[0].event.order_id, "o");
  EXPECT_EQ(lines[0].event.quantity, 2);
  EXPECT_EQ(lines[1].event.product_id, "p2");
}

TEST_F(TrackedEventTest, ARefundOfAnOrderAloneTakesAllOfItBack) {
  const Event whole = one(track("Order Refunded", R"({"order_id": "o"})"));
  EXPECT_EQ(whole.type, EventType::cancel);
  EXPECT_EQ(properties(whole).at("refunded"), true);
  const Event ga4 =
      one(track("refund", R"({"transaction_id": "o", "value": 12, "currency": "EUR"})"));
  EXPECT_EQ(ga4.type, EventType::cancel) << "GA4 names the whole amount beside the order";
  EXPECT_EQ(ga4.order_id, "o");
}

TEST_F(TrackedEventTest, ARefundOfMoneyAloneDoesNotSayWhatCameBack) {
  Event event = one(track("Order Refunded", R"({"order_id": "o", "total": 5, "currency": "EUR"})"));
  EXPECT_EQ(event.type, EventType::refund);
  EXPECT_EQ(net_of(event), "5.00 by total_less_shipping_and_tax");
  EXPECT_FALSE(validate(event, EventLimits(), k_received_ms, false).has_value());
}

TEST_F(TrackedEventTest, ACancelledOrderSaysItOfTheWholeAndOfItsLines) {
  const auto events = track("Order Cancelled", k_order);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].event.event_id, "m");
  EXPECT_EQ(events[0].event.product_id, "");
  EXPECT_EQ(events[1].event.event_id, "m#0");
  EXPECT_EQ(events[1].event.product_id, "p1");
  for (const IncomingEvent& event : events) {
    EXPECT_EQ(event.event.type, EventType::cancel);
    EXPECT_EQ(event.event.order_id, "o-1");
  }
}

TEST_F(TrackedEventTest, ACouponIsNamedInEitherWay) {
  EXPECT_EQ(one(track("Coupon Denied", R"({"coupon_id": "may", "reason": "used"})")).coupon_code,
            "may");
  const Event event = one(track("Coupon Denied", R"({"coupon": "may", "reason": "used"})"));
  EXPECT_EQ(event.coupon_code, "may");
  EXPECT_EQ(properties(event).at("reason"), "used");
}

TEST_F(TrackedEventTest, ASearchIsATextOrAnObject) {
  EXPECT_EQ(one(track("Products Searched", R"({"query": "blue dress"})")).query, "blue dress");
  EXPECT_EQ(one(track("Products Searched", R"({"query": {"text": "blue", "page": 2}})")).query,
            "blue");
  EXPECT_EQ(one(track("Products Searched", R"({"query": {"color": "blue"}})")).query,
            R"({"color":"blue"})");
  EXPECT_EQ(one(track("search", R"({"search_term": "hat"})")).query, "hat");
}

TEST_F(TrackedEventTest, AListIsOneEventAndItsRecommendedProductsWereSeen) {
  constexpr std::string_view k_list = R"({"list_id": "l", "category": "Deals", "products": [
      {"product_id": "p1"}, {"product_id": "p2", "recommendation_id": "r"}]})";
  const auto events = track("Product List Viewed", k_list);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].event.type, EventType::list_view);
  EXPECT_EQ(events[0].event.category, "Deals");
  EXPECT_EQ(events[0].event.product_id, "") << "nobody looked at one of them";
  EXPECT_EQ(properties(events[0].event).at("products").as_array().size(), 2U);
  EXPECT_EQ(events[1].event.type, EventType::impression);
  EXPECT_EQ(events[1].event.product_id, "p2");
  EXPECT_EQ(events[1].event.event_id, "m#1");

  const auto all = track("view_item_list", R"({"recommendation_id": "r", "items": [
      {"item_id": "p1"}, {"item_id": "p2"}]})");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].event.recommendation_id, "r");
}

TEST_F(TrackedEventTest, SeveralNamesOfOneTypeStayApart) {
  EXPECT_EQ(properties(one(track("Checkout Step Viewed", R"({"step": 2})"))).at("event"),
            "Checkout Step Viewed");
  EXPECT_EQ(one(track("Checkout Started", "{}")).properties_json, "");
}

}  // namespace
}  // namespace vitrine::collect
