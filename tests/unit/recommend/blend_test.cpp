// One score from many places: by hand-set weights, or as the model learnt.
#include "server/recommend/blend.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

BlendOfPlacement learnt(float bias, BlendWeights features) {
  BlendOfPlacement blend{
      .bias = bias, .sources = {}, .depths = {}, .features = std::move(features)};
  const PlacementBook book = PlacementBook::shipped();
  for (const SourceWeight& weighted : book.find("home")->sources)
    blend.sources[weighted.source] = 0;
  return blend;
}

class BlendTest : public Shop {
 protected:
  void open_with(BlendOfPlacement blend) {
    stock(shelf_products());
    model_.use(shelf_model({}, BlendTable::create({{"home", std::move(blend)}}).value()),
               *catalog_);
  }
};

TEST_F(BlendTest, HandSetWeightsAddUpAndTheStrongestNamesTheCandidate) {
  Pool::Entry entries[2];
  entries[0].places = {1, 11};
  entries[1].places = {0, 1};
  HandSetBlend({0.4F, 0.6F}).score(entries);

  EXPECT_FLOAT_EQ(entries[0].score, 0.7F);
  EXPECT_EQ(entries[0].strongest, 0);
  EXPECT_FLOAT_EQ(entries[1].score, 0.6F);
  EXPECT_EQ(entries[1].strongest, 1);
}

TEST_F(BlendTest, DepthHalvesWhereTheLogarithmDoes) {
  EXPECT_FLOAT_EQ(depth_of_place(0), 1);
  EXPECT_NEAR(depth_of_place(30), 0.5, 0.01);
  EXPECT_EQ(depth_of_place(999), 0);
  EXPECT_EQ(depth_of_place(70'000), 0);
}

TEST_F(BlendTest, ScoresOfALearntBlendAreProbabilities) {
  BlendOfPlacement blend = learnt(-3, {});
  blend.sources["personal"] = 2;
  open_with(blend);
  visitor_views("v1", "Garden-4");

  const RecommendAnswer answer = home_of_visitor("v1");
  ASSERT_FALSE(answer.products.empty());
  EXPECT_NEAR(answer.products.front().score, 1 / (1 + std::exp(1.0)), 1e-5)
      << "the first of the personal list: -3 + 2";
  for (const RecommendedProduct& product : answer.products) {
    EXPECT_GT(product.score, 0);
    EXPECT_LT(product.score, 1);
  }
}

TEST_F(BlendTest, WhatThePersonOrderedOftenAndLatelyDecides) {
  open_with(learnt(-3, {{"own_orders", 2}, {"own_recent", 1}}));
  Placement home = *PlacementBook::shipped().find("home");
  home.purchased = PurchasedPolicy::show;
  recommender_->use(PlacementBook::shipped().with(home));
  const auto buys = [&](const std::string& product, TimeMs days_ago, const std::string& order) {
    happen({{.user_id = "ann",
             .type = EventType::purchase,
             .product_id = product,
             .age_ms = days_ago * k_day_ms,
             .order_id = order}});
  };
  buys("Garden-4", 100, "o1");
  buys("Garden-4", 90, "o2");
  buys("Toys-1", 80, "o3");
  buys("Toys-2", 10, "o4");
  buys("Toys-2", 10, "o4");  // twice in one order is once

  std::vector<std::string> shown = ids(ask({.user_id = "ann", .limit = 10}));
  ASSERT_GE(shown.size(), 3U);
  shown.resize(3);

  EXPECT_EQ(shown, (std::vector<std::string>{"Garden-4", "Toys-2", "Toys-1"}));
}

TEST_F(BlendTest, ASourceTheModelDoesNotKnowLeavesTheHandSetWeights) {
  BlendOfPlacement blend = learnt(5, {});
  blend.sources.erase("session");
  open_with(blend);
  visitor_views("v1", "Garden-4");

  const RecommendAnswer answer = home_of_visitor("v1");
  EXPECT_LT(answer.products.back().score, 0.9F) << "the learnt blend would say 0.99 of all";
}

TEST_F(BlendTest, APlacementMayRefuseTheLearntBlend) {
  open_with(learnt(5, {}));
  Placement home = *PlacementBook::shipped().find("home");
  home.uses_blend = false;
  recommender_->use(PlacementBook::shipped().with(home));
  visitor_views("v1", "Garden-4");

  EXPECT_LT(home_of_visitor("v1").products.back().score, 0.9F);
}

TEST_F(BlendTest, CandidatesComeWithOneValueAnInput) {
  open_shelves();
  visitor_views("v1", "Garden-4");
  const auto candidates = recommender_->candidates({.visitor_id = "v1"});
  ASSERT_TRUE(candidates.ok());
  const Placement home = *PlacementBook::shipped().find("home");
  ASSERT_FALSE(candidates->products.empty());
  EXPECT_EQ(candidates->inputs.size(), candidates->products.size() * blend_input_count(home));
  EXPECT_EQ(recommender_->candidates({.placement = "attic"}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vitrine::recommend
