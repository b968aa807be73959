#include "training/train_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/unit/training/shop.h"
#include "training/neighbors.h"

namespace vitrine::training {
namespace {

using test::purchase;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TrainOptions small_options() {
  TrainOptions options;
  options.als.factors.dimension = 8;
  options.als.epochs = 5;
  options.als.threads = 2;
  return options;
}

TrainOutcome trained(const Dataset& data, const TrainOptions& options = small_options()) {
  const FakeClock clock(1'763'719'200'000);
  return train(data, options, {.name = "made up"}, clock, {}).value();
}

TEST(TrainJobTest, LearnsWhoLikesWhat) {
  const Dataset data = test::shop_of_two_tastes();
  const TrainOutcome outcome = trained(data);
  const TrainedModel& model = *outcome.model;
  // Whoever bought one even product is offered even ones.
  std::vector<float> user(model.factors().dimension());
  model.factors().fold_in(std::vector<std::uint32_t>{model.products().row("p4").value()},
                          std::vector<float>{1}, user);
  float even = 0;
  float odd = 0;
  for (std::uint32_t row = 0; row < model.row_count(); ++row) {
    const int number = std::stoi(std::string(model.products().id(row).substr(1)));
    (number % 2 == 0 ? even : odd) += model.factors().score(row, user);
  }
  EXPECT_GT(even, 3 * std::abs(odd));
}

TEST(TrainJobTest, RowsFallInNorm) {
  const TrainOutcome outcome = trained(test::shop_of_two_tastes());
  const TrainedModel& model = *outcome.model;
  const auto norm = [&](std::uint32_t row) {
    return model.factors().score(row, model.factors().row(row));
  };
  for (std::uint32_t row = 1; row < model.row_count(); ++row)
    EXPECT_LE(norm(row), norm(row - 1) * 1.0001F);
}

TEST(TrainJobTest, EveryTableSpeaksOfTheSameRows) {
  const Dataset data = test::shop_of_two_tastes();
  const TrainOutcome outcome = trained(data);
  const TrainedModel& model = *outcome.model;
  for (std::uint32_t product = 0; product < data.products.size(); ++product) {
    const std::uint32_t row = model.products().row(data.products[product]).value();
    EXPECT_EQ(model.popularity().weight(row), data.popularity[product]);
    for (const RelatedProduct& related : model.similar().of(row)) {
      const float cosine =
          model.factors().score(row, model.factors().row(related.row)) /
          std::sqrt(model.factors().score(row, model.factors().row(row)) *
                    model.factors().score(related.row, model.factors().row(related.row)));
      EXPECT_NEAR(related.score, cosine, 1e-4);
    }
  }
}

TEST(TrainJobTest, SameDataAndSeedGiveTheSameVersionOnAnyNumberOfThreads) {
  const Dataset data = test::shop_of_two_tastes();
  TrainOptions options = small_options();
  const std::string version = trained(data, options).model->version();
  options.als.threads = 1;
  EXPECT_EQ(trained(data, options).model->version(), version);
  options.als.seed = 9;
  EXPECT_NE(trained(data, options).model->version(), version);
}

TEST(TrainJobTest, FactorsAloneAreThoseOfTheWholeModelWithoutItsOtherTables) {
  const Dataset data = test::shop_of_two_tastes();
  TrainOptions options = small_options();
  const TrainOutcome whole = trained(data, options);
  options.parts = TrainParts::factors;
  const TrainOutcome part = trained(data, options);

  const FactorModel& factors = whole.model->factors();
  ASSERT_EQ(part.model->row_count(), whole.model->row_count());
  for (std::uint32_t row = 0; row < factors.row_count(); ++row) {
    EXPECT_EQ(part.model->products().id(row), whole.model->products().id(row));
    EXPECT_THAT(part.model->factors().row(row), ElementsAreArray(factors.row(row)));
    EXPECT_EQ(part.model->popularity().weight(row), whole.model->popularity().weight(row));
    EXPECT_THAT(part.model->similar().of(row), IsEmpty());
    EXPECT_THAT(part.model->together().of(row), IsEmpty());
  }
  EXPECT_FALSE(whole.model->similar().of(0).empty());
}

TEST(TrainJobTest, RecordsWhatItDid) {
  const Dataset data = test::shop_of_two_tastes();
  const TrainOutcome outcome = trained(data);
  const TrainingRecord& record = outcome.model->record();
  EXPECT_EQ(record.source, "made up");
  EXPECT_EQ(record.users, data.users.size());
  EXPECT_EQ(record.pairs, data.pair_count());
  EXPECT_EQ(record.orders, 120U);
  EXPECT_EQ(record.epochs, 5U);
  EXPECT_EQ(record.confidence.mean, data.confidence.mean);
  EXPECT_EQ(record.settings.at("solver"), "auto");
}

TEST(TrainJobTest, ProductsThatOnlyNobodyBoughtHaveARowAndNoOpinion) {
  DatasetBuilder builder{DatasetOptions{}};
  builder.add(purchase("ann", "lamp", 0, "o1"));
  builder.add(purchase("bob", "lamp", 0, "o2"));
  builder.add(purchase("", "rug", 0, "o3"));
  const TrainOutcome outcome = trained(builder.build().value());
  const TrainedModel& model = *outcome.model;
  const std::uint32_t rug = model.products().row("rug").value();
  EXPECT_EQ(rug, 1U);
  EXPECT_THAT(model.factors().row(rug), ::testing::Each(0.0F));
  EXPECT_GT(model.popularity().weight(rug), 0);
  EXPECT_THAT(model.similar().of(rug), IsEmpty());
}

TEST(TrainJobTest, TellsItsStagesAndStopsWhenCancelled) {
  const Dataset data = test::shop_of_two_tastes();
  const FakeClock clock(0);
  std::vector<std::string> stages;
  std::atomic<bool> cancel = false;
  TrainObserver observer;
  observer.on_stage = [&](std::string_view stage) { stages.emplace_back(stage); };
  observer.cancel = &cancel;
  ASSERT_TRUE(train(data, small_options(), {}, clock, observer).ok());
  EXPECT_THAT(stages, ElementsAre("factors", "similar", "together", "viewed", "tables", "content"));
  cancel = true;
  EXPECT_EQ(train(data, small_options(), {}, clock, observer).status().code(),
            absl::StatusCode::kCancelled);
}

// Even products are lamps, odd ones are rugs; p0 is hidden.
std::vector<Product> described_products() {
  std::vector<Product> catalog;
  for (int number = 0; number < 40; ++number) {
    Product product;
    product.product_id = "p" + std::to_string(number);
    product.title = number % 2 == 0 ? "brass lamp" : "woollen rug";
    product.categories = {number % 2 == 0 ? "Home > Lamps" : "Home > Rugs"};
    product.hidden = number == 0;
    catalog.push_back(product);
  }
  return catalog;
}

TEST(TrainJobTest, AProductThatNobodyTouchedGoesToThoseWhoLikeItsKind) {
  const Dataset data = test::shop_of_two_tastes();
  const FakeClock clock(0);
  const TrainOutcome outcome =
      train(data, small_options(), {}, clock, {}, {{"recall@20", 0.5}}, described_products())
          .value();
  const TrainedModel& model = *outcome.model;
  EXPECT_GT(model.record().metrics.at("content_r2"), 0);
  EXPECT_GT(model.record().metrics.at("content_cosine"), 0.5);
  EXPECT_EQ(model.record().metrics.at("recall@20"), 0.5);
  EXPECT_TRUE(model.record().settings.contains("content_lambda"));

  Product novelty;
  novelty.title = "glass lamp";
  std::vector<float> vector(model.factors().dimension());
  ASSERT_TRUE(model.content().place(novelty, vector));
  const auto score_of_lover = [&](std::string_view liked) {
    std::vector<float> user(vector.size());
    model.factors().fold_in(std::vector<std::uint32_t>{model.products().row(liked).value()},
                            std::vector<float>{1}, user);
    return std::inner_product(user.begin(), user.end(), vector.begin(), 0.0F);
  };
  EXPECT_GT(score_of_lover("p4"), 3 * std::abs(score_of_lover("p5")));
}

TEST(TrainJobTest, WithoutACatalogThereIsNoContentMap) {
  const TrainOutcome outcome = trained(test::shop_of_two_tastes());
  EXPECT_TRUE(outcome.model->content().empty());
  EXPECT_FALSE(outcome.model->record().metrics.contains("content_r2"));
}

TEST(TrainJobTest, SessionsMarketsAndRepeatsBecomeTablesOfTheSameRows) {
  DatasetBuilder builder{DatasetOptions{}};
  for (int user = 0; user < 3; ++user) {
    const std::string name = "u" + std::to_string(user);
    for (const char* product : {"lamp", "bulb"}) {
      Interaction look{.user = name,
                       .product = product,
                       .order = {},
                       .type = EventType::view,
                       .session = name,
                       .market = "DE",
                       .weight = {}};
      builder.add(look);
    }
    for (int week = 0; week < 3; ++week) builder.add(purchase(name, "bulb", week * 7 * k_day_ms));
  }
  Product bulb;
  bulb.product_id = "bulb";
  bulb.categories = {"Home > Light"};
  const FakeClock clock(0);
  const TrainOutcome outcome =
      train(builder.build().value(), small_options(), {}, clock, {}, {}, std::span(&bulb, 1))
          .value();
  const TrainedModel& model = *outcome.model;
  const std::uint32_t lamp_row = model.products().row("lamp").value();
  const std::uint32_t bulb_row = model.products().row("bulb").value();
  ASSERT_EQ(model.also_viewed().of(lamp_row).size(), 1U);
  EXPECT_EQ(model.also_viewed().of(lamp_row)[0].row, bulb_row);
  EXPECT_EQ(model.also_viewed().of(lamp_row)[0].support, 3U);
  EXPECT_EQ(model.popular_in_market().of("DE").size(), 2U);
  ASSERT_EQ(model.popular_in_category().of("Home").size(), 1U);
  EXPECT_EQ(model.popular_in_category().of("Home")[0].row, bulb_row);
  EXPECT_EQ(model.buy_again().of_product(bulb_row), (BuyAgain{7, 6}));
}

// Ten orders: lamp and bulb together in four, tape in all, rug and clock together in two.
class TogetherTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t k_lamp = 0, k_bulb = 1, k_tape = 2, k_rug = 3, k_clock = 4;

  NeighborLists lists(const NeighborOptions& options = {}) const {
    SparseRows orders;
    for (int order = 0; order < 10; ++order) {
      if (order < 4) orders.columns.insert(orders.columns.end(), {k_lamp, k_bulb});
      orders.columns.push_back(k_tape);
      if (order > 7) orders.columns.insert(orders.columns.end(), {k_rug, k_clock});
      orders.bounds.push_back(orders.columns.size());
    }
    return products_bought_together(orders, 5, options);
  }
};

TEST_F(TogetherTest, FindsPairsWithTheirLiftAndSupport) {
  const NeighborLists found = lists();
  ASSERT_EQ(found[k_lamp].size(), 1U) << "the tape is in every order: no sign of anything";
  EXPECT_EQ(found[k_lamp][0].row, k_bulb);
  EXPECT_EQ(found[k_lamp][0].support, 4U);
  EXPECT_FLOAT_EQ(found[k_lamp][0].lift, 10.0F * 4 / (4 * 4));
  // G2 of the table (4, 0; 0, 6): 2 (10 ln 10 - 4 ln 4 - 6 ln 6).
  EXPECT_NEAR(found[k_lamp][0].score, 2 * (10 * std::log(10) - 4 * std::log(4) - 6 * std::log(6)),
              1e-4);
  EXPECT_THAT(found[k_tape], IsEmpty());
}

TEST_F(TogetherTest, TwoOrdersAreChanceUnlessOneAsksForThem) {
  EXPECT_THAT(lists()[k_rug], IsEmpty());
  EXPECT_EQ(lists({.together_support_min = 2})[k_rug].size(), 1U);
}

TEST_F(TogetherTest, VeryLargeOrdersSayNothing) {
  EXPECT_THAT(lists({.order_products_max = 2})[k_lamp], IsEmpty());
}

}  // namespace
}  // namespace vitrine::training
