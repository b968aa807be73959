// What is learnt about the sources, and when nothing is.
#include "server/rehearsal/blend_learning.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <string>

#include "tests/unit/rehearsal/weekly_shop.h"

namespace vitrine::rehearsal {
namespace {

using ::testing::HasSubstr;

LearntBlends learn(const training::InteractionSource& source, const BlendOptions& options = {}) {
  auto learnt = learn_blends(source, test::described(), {}, test::small_options(), {}, options);
  EXPECT_TRUE(learnt.ok()) << learnt.status();
  return learnt.ok() ? *std::move(learnt) : LearntBlends{};
}

// What having bought a product adds: in ten of ten orders, as the first of `buy_again`.
float logit_of_a_staple(const BlendOfPlacement& blend) {
  const std::map<std::string, float> values = {
      {"own", 1.0F}, {"own_orders", std::log2(11.0F)}, {"own_recent", 1.5F}, {"own_lately", 0.7F}};
  const std::map<std::string, float> others = {
      {"popular", 0.9F}, {"popularity", 0.9F}, {"person_orders", std::log2(11.0F)}};
  float sum = blend.sources.at("buy_again") + blend.depths.at("buy_again");
  for (const auto& [own, value] : values) {
    sum += value * blend.features.at(own);
    for (const auto& [other, by] : others) {
      const auto both = blend.features.find(own + "*" + other);
      if (both != blend.features.end()) sum += value * by * both->second;
    }
  }
  return sum;
}

TEST(BlendLearningTest, FindsThatPeopleBuyTheirStaplesAgain) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends learnt = learn(test::source_of(list));

  const BlendOfPlacement* const home = learnt.table.find("home");
  ASSERT_NE(home, nullptr);
  EXPECT_GT(logit_of_a_staple(*home), 1) << "beside the same product if it was never bought";
  EXPECT_LT(learnt.metrics.at("blend.home.log_loss"),
            0.8 * learnt.metrics.at("blend.home.log_loss_of_constant"))
      << "on people who were kept apart";
}

TEST(BlendLearningTest, PredictsAboutAsMuchAsIsTaken) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends learnt = learn(test::source_of(list));

  const double predicted = learnt.metrics.at("blend.home.tenth_10.predicted");
  const double observed = learnt.metrics.at("blend.home.tenth_10.observed");
  EXPECT_NEAR(predicted, observed, 0.3 * observed);
}

TEST(BlendLearningTest, LearnsTheSameFromTheSame) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends once = learn(test::source_of(list));
  const LearntBlends again = learn(test::source_of(list));

  EXPECT_EQ(once.metrics, again.metrics);
  EXPECT_EQ(once.table.find("home")->features, again.table.find("home")->features);
}

// Sources that had no say keep their hand-set weights, so that a click still counts in a shop whose
// past has none.
TEST(BlendLearningTest, KeepsASourceThatGaveNothing) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends learnt = learn(test::source_of(list));

  EXPECT_GT(learnt.table.find("home")->sources.at("session"), 0);
  EXPECT_GT(learnt.table.find("home")->sources.at("recent"), 0);
}

TEST(BlendLearningTest, LearnsNothingFromTooLittleAndSaysSo) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends few = learn(test::source_of(list), {.questions_min = 5000});
  EXPECT_TRUE(few.table.empty());
  EXPECT_THAT(few.left_out.at("home"), HasSubstr("5000 are needed"));

  const LearntBlends untaken = learn(test::source_of(list), {.taken_min = 1'000'000});
  EXPECT_TRUE(untaken.table.empty());
  EXPECT_THAT(untaken.left_out.at("home"), HasSubstr("were taken, 1000000 are needed"));
}

TEST(BlendLearningTest, AsksNoMoreQuestionsThanAllowed) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends learnt = learn(test::source_of(list), {.questions_max = 60});

  EXPECT_GE(learnt.metrics.at("blend.home.questions"), 40);
  EXPECT_LE(learnt.metrics.at("blend.home.questions"), 60);
  EXPECT_LE(learnt.metrics.at("blend.cart.questions"), 60);
}

TEST(BlendLearningTest, LearnsFromSeveralSlicesAndKeepsTheBoundOfAllQuestions) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends one = learn(test::source_of(list), {.slices_max = 1});
  const LearntBlends three = learn(test::source_of(list));
  EXPECT_GT(three.metrics.at("blend.home.questions"), 1.5 * one.metrics.at("blend.home.questions"));

  const LearntBlends large = learn(test::source_of(list), {.kept_max = 100});
  EXPECT_EQ(large.metrics, one.metrics) << "what is not kept in memory is learnt from once";
}

// The newest part of a slice that is too long is enough.
TEST(BlendLearningTest, BeginsASliceOfTooManyEventsLater) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends whole = learn(test::source_of(list));
  const LearntBlends part = learn(test::source_of(list), {.slice_events_max = 300});

  EXPECT_GT(part.metrics.at("blend.cart.questions"), 0);
  EXPECT_LT(part.metrics.at("blend.cart.questions"), whole.metrics.at("blend.cart.questions"));
}

TEST(BlendLearningTest, LeavesTheBlendOutWhenItDoesNotFitIntoMemory) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends fits = learn(test::source_of(list), {.bytes_max = std::uint64_t{1} << 32U});
  EXPECT_FALSE(fits.table.empty());
  EXPECT_GT(fits.expected_bytes, 0);

  const LearntBlends learnt = learn(test::source_of(list), {.bytes_max = 1000});
  EXPECT_TRUE(learnt.table.empty());
  EXPECT_THAT(learnt.left_out.at(""), HasSubstr("MiB may be used"));
}

TEST(BlendLearningTest, LearnsNothingWithoutTimes) {
  training::InteractionList list;
  for (int i = 0; i < 500; ++i) {
    list.add({.user = test::user_id(i % 20),
              .product = test::product_id(i % 30),
              .order = {},
              .weight = {}});
  }
  const LearntBlends learnt = learn(test::source_of(list));
  EXPECT_TRUE(learnt.table.empty());
  EXPECT_THAT(learnt.left_out.at(""), HasSubstr("no times"));
}

TEST(BlendLearningTest, LearnsTheCartFromOrders) {
  const training::InteractionList list = test::weekly_shop();
  const LearntBlends learnt = learn(test::source_of(list));

  EXPECT_GT(learnt.metrics.at("blend.cart.questions"), 100);
  EXPECT_EQ(learnt.metrics.at("blend.product_page.questions"), 0) << "nobody looked at anything";
}

TEST(BlendLearningTest, PassesOnWhatTheSourceSays) {
  const auto broken = [](const std::function<void(const training::Interaction&)>&) {
    return absl::DataLossError("the log is torn");
  };
  EXPECT_EQ(learn_blends(broken, {}, {}, test::small_options(), {}).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vitrine::rehearsal
