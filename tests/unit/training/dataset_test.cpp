#include "training/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/training/shop.h"

namespace vitrine::training {
namespace {

using test::k_day;
using test::number_of;
using test::purchase;
using ::testing::ElementsAre;

class DatasetTest : public ::testing::Test {
 protected:
  Dataset built() { return builder_.build().value(); }

  // Confidence of a pair, 0 where there is none.
  static float confidence(const Dataset& data, std::string_view user, std::string_view product) {
    const std::uint32_t row = number_of(data.users, user);
    const auto columns = data.by_user.columns_of(row);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (data.products[columns[k]] == product) return data.by_user.values_of(row)[k];
    }
    return 0;
  }
  static Interaction event(EventType type, std::string_view user, std::string_view product,
                           TimeMs time_ms = 0) {
    return {.user = user,
            .product = product,
            .order = {},
            .type = type,
            .time_ms = time_ms,
            .weight = {}};
  }

  DatasetOptions options_;
  DatasetBuilder builder_{options_};
};

TEST_F(DatasetTest, ConfidencesHaveMeanOneAndKeepTheRatioOfTheWeights) {
  builder_.add(event(EventType::view, "ann", "lamp"));
  builder_.add(event(EventType::cart_add, "ann", "teapot"));
  builder_.add(event(EventType::purchase, "bob", "lamp"));
  const Dataset data = built();
  EXPECT_FLOAT_EQ(confidence(data, "ann", "teapot") / confidence(data, "ann", "lamp"), 4);
  EXPECT_FLOAT_EQ(confidence(data, "bob", "lamp") / confidence(data, "ann", "lamp"), 8);
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp") + confidence(data, "ann", "teapot") +
                      confidence(data, "bob", "lamp"),
                  3);
  EXPECT_DOUBLE_EQ(data.confidence.mean, (1 + 4 + 8) / 3.0);
}

TEST_F(DatasetTest, AgeCountsBackFromTheNewestEventNotFromToday) {
  builder_.add(purchase("ann", "lamp", 0));
  builder_.add(purchase("bob", "lamp", 90 * k_day));
  const Dataset data = built();
  EXPECT_EQ(data.until_ms, 90 * k_day);
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp") / confidence(data, "bob", "lamp"), 0.5F);
}

TEST_F(DatasetTest, NothingLaterThanTheCutOffCounts) {
  options_.until = 10 * k_day;
  builder_ = DatasetBuilder(options_);
  builder_.add(purchase("ann", "lamp", 10 * k_day));
  builder_.add(purchase("ann", "teapot", 10 * k_day + 1));
  const Dataset data = built();
  EXPECT_THAT(data.products, ElementsAre("lamp"));
  EXPECT_EQ(data.interactions, 1U);
  EXPECT_EQ(data.until_ms, 10 * k_day);
}

TEST_F(DatasetTest, ManyEventsAddUpToTheCap) {
  options_.confidence.cap = 20;
  builder_ = DatasetBuilder(options_);
  for (int i = 0; i < 5; ++i) builder_.add(purchase("ann", "lamp"));
  builder_.add(purchase("bob", "lamp"));
  const Dataset data = built();
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp") / confidence(data, "bob", "lamp"), 20.0F / 8);
}

TEST_F(DatasetTest, PairsWithoutWeightsAllCountOne) {
  builder_.add(purchase("ann", "lamp"));
  builder_.add(purchase("ann", "teapot"));
  builder_.add(purchase("bob", "lamp"));
  for (const float value : built().by_user.values) EXPECT_FLOAT_EQ(value, 1);
}

TEST_F(DatasetTest, AGivenWeightReplacesTheWeightOfTheType) {
  Interaction heavy = purchase("ann", "lamp");
  heavy.weight = 24.0F;
  builder_.add(heavy);
  builder_.add(purchase("bob", "lamp"));
  const Dataset data = built();
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp") / confidence(data, "bob", "lamp"), 3);
}

TEST_F(DatasetTest, ARefundTakesBackOnePurchaseAndThePairStaysKnown) {
  builder_.add(purchase("ann", "lamp", 1, "o1"));
  builder_.add(event(EventType::refund, "ann", "lamp", 2));
  builder_.add(purchase("ann", "teapot", 1, "o1"));
  builder_.add(purchase("ann", "teapot", 2, "o2"));
  builder_.add(event(EventType::refund, "ann", "teapot", 3));
  builder_.add(purchase("ann", "vase", 1, "o3"));
  const Dataset data = built();
  EXPECT_EQ(data.refunds_matched, 2U);
  EXPECT_EQ(confidence(data, "ann", "lamp"), 0);
  EXPECT_FLOAT_EQ(confidence(data, "ann", "teapot"), 1) << "one purchase is left, as of the vase";
  EXPECT_EQ(data.seen_by_user.columns_of(0).size(), 3U);
  EXPECT_EQ(data.orders_by_user.columns_of(0).size(), 2U);
}

TEST_F(DatasetTest, APurchaseCountsUntilItsLastPieceCameBack) {
  const auto pieces = [&](EventType type, std::string_view product, std::int64_t quantity,
                          TimeMs time_ms, std::string_view order) {
    Interaction one = event(type, "ann", product, time_ms);
    one.quantity = quantity;
    one.order = order;
    builder_.add(one);
  };
  pieces(EventType::purchase, "lamp", 12, 1, "o1");
  pieces(EventType::refund, "lamp", 2, 2, "r1");
  pieces(EventType::purchase, "vase", 12, 1, "o1");
  pieces(EventType::refund, "vase", 7, 2, "r1");
  pieces(EventType::refund, "vase", 5, 3, "r2");
  pieces(EventType::purchase, "teapot", 12, 1, "o1");
  pieces(EventType::refund, "teapot", 0, 2, "r1");  // money alone came back
  const Dataset data = built();
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp"), confidence(data, "ann", "teapot"))
      << "quantities do not multiply, neither do those that are left";
  EXPECT_GT(confidence(data, "ann", "lamp"), 0);
  EXPECT_EQ(confidence(data, "ann", "vase"), 0);
  EXPECT_EQ(data.refunds_matched, 3U);
  EXPECT_EQ(data.orders.columns_of(0).size(), 2U) << "o1 without the vase";
}

TEST_F(DatasetTest, WhatOnePurchaseCannotGiveBackComesFromTheOneBefore) {
  const auto add = [&](EventType type, std::int64_t quantity, TimeMs time_ms,
                       std::string_view order) {
    Interaction one = event(type, "ann", "lamp", time_ms);
    one.quantity = quantity;
    one.order = order;
    builder_.add(one);
  };
  add(EventType::purchase, 5, 0, "o1");
  add(EventType::purchase, 4, 1, "o2");
  add(EventType::purchase, 3, 2, "o3");
  add(EventType::refund, 100, 3, "o3");  // no more than its order holds
  add(EventType::refund, 6, 4, "r");     // all of o2 and two of o1
  EXPECT_THAT(built().orders_by_user.values_of(0), ElementsAre(1));
}

TEST_F(DatasetTest, ACancellationTakesBackAWholeLine) {
  Interaction many = purchase("ann", "lamp", 1, "o1");
  many.quantity = 12;
  builder_.add(many);
  builder_.add(purchase("ann", "vase", 1, "o1"));
  builder_.add(event(EventType::cancel, "ann", "lamp", 2));
  EXPECT_EQ(confidence(built(), "ann", "lamp"), 0);
}

TEST_F(DatasetTest, ARefundPrefersThePurchaseOfItsOrder) {
  options_.confidence.half_life_days = 1;
  builder_ = DatasetBuilder(options_);
  builder_.add(purchase("ann", "lamp", 0, "old"));
  builder_.add(purchase("ann", "lamp", k_day, "new"));
  Interaction refund = event(EventType::refund, "ann", "lamp", 2 * k_day);
  refund.order = "old";
  builder_.add(refund);
  builder_.add(purchase("bob", "lamp", k_day));
  const Dataset data = built();
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp"), confidence(data, "bob", "lamp"))
      << "the new purchase is left";
}

TEST_F(DatasetTest, ARefundWithoutAPurchaseBeforeItChangesNothing) {
  builder_.add(event(EventType::refund, "ann", "lamp", 1));
  builder_.add(purchase("ann", "lamp", 2));
  builder_.add(event(EventType::refund, "eve", "lamp", 3));
  const Dataset data = built();
  EXPECT_EQ(data.refunds_matched, 0U);
  EXPECT_THAT(data.users, ElementsAre("ann"));
  EXPECT_FLOAT_EQ(confidence(data, "ann", "lamp"), 1);
}

TEST_F(DatasetTest, AnonymousOrdersCountForPopularityAndBasketsOnly) {
  builder_.add(purchase("ann", "lamp", 0, "o1"));
  builder_.add(purchase("", "lamp", 0, "o2"));
  builder_.add(purchase("", "teapot", 0, "o2"));
  const Dataset data = built();
  EXPECT_THAT(data.products, ElementsAre("lamp", "teapot"));
  EXPECT_THAT(data.popularity, ElementsAre(16, 8));
  EXPECT_EQ(data.pair_count(), 1U);
  ASSERT_EQ(data.orders.row_count(), 2U);
  EXPECT_THAT(data.orders.columns_of(1), ElementsAre(0, 1));
}

TEST_F(DatasetTest, OrdersAreCountedOnceHoweverManyLinesTheyHave) {
  builder_.add(purchase("ann", "lamp", 0, "o1"));
  builder_.add(purchase("ann", "lamp", 0, "o1"));
  builder_.add(purchase("ann", "lamp", 0, "o2"));
  builder_.add(purchase("ann", "lamp", 0));
  EXPECT_THAT(built().orders_by_user.values_of(0), ElementsAre(3));
}

TEST_F(DatasetTest, ByProductIsByUserTurnedAround) {
  const Dataset data = test::shop_of_two_tastes();
  ASSERT_EQ(data.by_product.row_count(), data.products.size());
  EXPECT_EQ(transposed(data.by_product, data.users.size()).columns, data.by_user.columns);
  EXPECT_EQ(transposed(data.by_product, data.users.size()).values, data.by_user.values);
}

TEST_F(DatasetTest, NothingIsLearntFromThoseWhoAreLeftOut) {
  DatasetOptions options;
  options.is_left_out = [](std::string_view user) { return user == "bot"; };
  DatasetBuilder builder(options);
  builder.add(purchase("ann", "lamp", 0, "o1"));
  builder.add(purchase("bot", "rug", 0, "o2"));
  builder.add(purchase("bot", "lamp", 0, "o2"));
  builder.add(purchase("", "lamp", 0, "o3"));
  builder.add({.user = "bot",
               .product = "lamp",
               .order = "o1",
               .type = EventType::refund,
               .time_ms = 5,
               .weight = {}});
  const Dataset data = builder.build().value();
  EXPECT_THAT(data.users, ::testing::ElementsAre("ann"));
  EXPECT_THAT(data.products, ::testing::ElementsAre("lamp"));
  EXPECT_EQ(data.pair_count(), 1U);
  EXPECT_EQ(data.interactions, 2U) << "nobody's order counts";
  EXPECT_EQ(data.refunds_matched, 0U);
  EXPECT_EQ(data.left_out, 3U);
}

TEST_F(DatasetTest, SessionsKeepWhatWasLookedAtInTheOrderOfTime) {
  DatasetBuilder builder{DatasetOptions{}};
  const auto look = [&](std::string_view session, std::string_view product, TimeMs time_ms,
                        EventType type = EventType::view) {
    builder.add({.user = "ann",
                 .product = product,
                 .order = {},
                 .type = type,
                 .time_ms = time_ms,
                 .session = session,
                 .weight = {}});
  };
  look("s1", "lamp", 2);
  look("s2", "rug", 1);
  look("s1", "bulb", 1, EventType::click);
  look("s1", "tape", 3, EventType::purchase);
  look("s2", "rug", 2);
  look("", "lamp", 4);
  look("s1", "lamp", 5);
  const Dataset data = builder.build().value();
  ASSERT_EQ(data.views.session_count(), 1U) << "one product alone goes with nothing";
  EXPECT_EQ(data.views.last_ms.front(), 5);
  std::vector<std::string> products;
  for (const std::uint32_t product : data.views.products_of(0))
    products.push_back(data.products[product]);
  EXPECT_THAT(products, ::testing::ElementsAre("bulb", "lamp", "lamp"));
}

TEST_F(DatasetTest, RepeatsAreDaysApartAndNotTakenBack) {
  DatasetBuilder builder{DatasetOptions{}};
  builder.add(purchase("ann", "milk", 0, "o1"));
  builder.add(purchase("ann", "milk", k_day / 2, "o2"));
  builder.add(purchase("ann", "milk", 7 * k_day, "o3"));
  builder.add(purchase("ann", "milk", 9 * k_day, "o4"));
  builder.add(purchase("bob", "milk", 20 * k_day, "o5"));
  builder.add({.user = "ann",
               .product = "milk",
               .order = "o3",
               .type = EventType::refund,
               .time_ms = 8 * k_day,
               .weight = {}});
  const Dataset data = builder.build().value();
  ASSERT_EQ(data.repeats.size(), 1U);
  EXPECT_EQ(data.repeats[0].product, 0U);
  EXPECT_FLOAT_EQ(data.repeats[0].days, 9);
}

TEST_F(DatasetTest, ARefundOfAnOrderNumberOfItsOwnTakesBackTheNewestPurchase) {
  DatasetBuilder builder{DatasetOptions{}};
  builder.add(purchase("ann", "milk", 0, "o1"));
  builder.add(purchase("ann", "milk", k_day, "o2"));
  builder.add(purchase("ann", "tape", 3 * k_day, "c9"));
  builder.add({.user = "ann",
               .product = "milk",
               .order = "c9",
               .type = EventType::cancel,
               .time_ms = 3 * k_day,
               .weight = {}});
  const Dataset data = builder.build().value();
  EXPECT_EQ(data.refunds_matched, 1U);
  EXPECT_EQ(data.orders.columns_of(0).size(), 1U) << "the older order stays";
  EXPECT_EQ(data.orders.columns_of(1).size(), 0U);
}

TEST_F(DatasetTest, RefusesToLearnFromNothing) {
  builder_.add(purchase("", "lamp", 0, "o1"));
  builder_.add(event(EventType::search, "ann", "lamp"));
  EXPECT_EQ(builder_.build().status().code(), absl::StatusCode::kFailedPrecondition);
  options_.confidence.half_life_days = -1;
  EXPECT_EQ(DatasetBuilder(options_).build().status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::training
