// Weights that make what was seen likely.
#include "training/logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace vitrine::training {
namespace {

// Labels drawn with logit -1 + 2 a - 0.5 b; the third input is always the same.
LogisticExamples drawn(std::size_t count) {
  Random random(2);
  LogisticExamples examples{.inputs = 3, .values = {}, .labels = {}, .weights = {}};
  for (std::size_t i = 0; i < count; ++i) {
    const double a = random.normal();
    const double b = 3 * random.normal() + 5;
    const double p = 1 / (1 + std::exp(1 - 2 * a + 0.5 * b));
    examples.values.insert(examples.values.end(),
                           {static_cast<float>(a), static_cast<float>(b), 7});
    examples.labels.push_back(random.uniform() < p ? 1 : 0);
    examples.weights.push_back(1);
  }
  return examples;
}

TEST(LogisticTest, FindsTheWeightsThatTheLabelsWereDrawnBy) {
  const LogisticModel model = fit_logistic(drawn(20'000), 0.1).value();
  EXPECT_NEAR(model.weights[0], 2, 0.15);
  EXPECT_NEAR(model.weights[1], -0.5, 0.05);
  EXPECT_NEAR(model.bias, -1, 0.15);
  EXPECT_EQ(model.weights[2], 0) << "an input that never changes says nothing";
}

TEST(LogisticTest, AnExampleOfWeightTwoIsTwoExamples) {
  LogisticExamples doubled = drawn(500);
  LogisticExamples weighted = doubled;
  const LogisticExamples once = doubled;
  doubled.values.insert(doubled.values.end(), once.values.begin(), once.values.end());
  doubled.labels.insert(doubled.labels.end(), once.labels.begin(), once.labels.end());
  doubled.weights.insert(doubled.weights.end(), once.weights.begin(), once.weights.end());
  for (float& weight : weighted.weights) weight = 2;

  const LogisticModel a = fit_logistic(doubled, 1).value();
  const LogisticModel b = fit_logistic(weighted, 1).value();
  EXPECT_NEAR(a.weights[0], b.weights[0], 1e-4);
  EXPECT_NEAR(a.bias, b.bias, 1e-4);
}

// Nothing bounds the weights of labels that one input divides but the ridge.
TEST(LogisticTest, TheRidgeHoldsWhatIsSeparable) {
  LogisticExamples examples{
      .inputs = 1, .values = {-2, -1, 1, 2}, .labels = {0, 0, 1, 1}, .weights = {1, 1, 1, 1}};
  const LogisticModel loose = fit_logistic(examples, 0.01).value();
  const LogisticModel tight = fit_logistic(examples, 10).value();
  EXPECT_TRUE(std::isfinite(loose.weights[0]));
  EXPECT_GT(loose.weights[0], tight.weights[0]);
  EXPECT_GT(tight.weights[0], 0);
}

TEST(LogisticTest, CalibrationHoldsOnWhatTheModelHasNotSeen) {
  const LogisticExamples all = drawn(20'000);
  LogisticExamples fitted{.inputs = 3, .values = {}, .labels = {}, .weights = {}};
  LogisticExamples rest = fitted;
  for (std::size_t i = 0; i < all.size(); ++i) {
    LogisticExamples& part = i % 2 == 0 ? fitted : rest;
    part.values.insert(part.values.end(), all.row(i).begin(), all.row(i).end());
    part.labels.push_back(all.labels[i]);
    part.weights.push_back(1);
  }
  const Calibration calibration = calibration_of(fit_logistic(fitted, 1).value(), rest);
  EXPECT_LT(calibration.log_loss, 0.8 * calibration.constant_log_loss);
  ASSERT_EQ(calibration.bins.size(), 10U);
  for (const Calibration::Bin& bin : calibration.bins)
    EXPECT_NEAR(bin.predicted, bin.observed, 0.05);
  EXPECT_LT(calibration.bins.front().predicted, calibration.bins.back().predicted);
}

TEST(LogisticTest, RefusesWhatCannotBeLearnt) {
  LogisticExamples alike{.inputs = 1, .values = {1, 2}, .labels = {1, 1}, .weights = {1, 1}};
  EXPECT_EQ(fit_logistic(alike, 1).status().code(), absl::StatusCode::kInvalidArgument);
  LogisticExamples torn{.inputs = 2, .values = {1}, .labels = {1}, .weights = {1}};
  EXPECT_EQ(fit_logistic(torn, 1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::training
