// Curves against numbers worked out by hand, and chance that must give nought.
#include "training/uplift/uplift_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace vitrine::training {
namespace {

struct People {
  std::vector<double> scores;
  std::vector<std::uint8_t> treated;
  std::vector<double> outcomes;

  ScoredOutcomes view() const { return {scores, treated, outcomes}; }
};

// Half are treated; treatment helps by the person's own effect, uniform in [0, 0.4].
People drawn(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  People people;
  for (std::size_t i = 0; i < count; ++i) {
    const double effect = 0.4 * random.uniform();
    const bool is_treated = random.uniform() < 0.5;
    people.scores.push_back(effect);
    people.treated.push_back(is_treated ? 1 : 0);
    people.outcomes.push_back(random.uniform() < 0.2 + (is_treated ? effect : 0) ? 1 : 0);
  }
  return people;
}

void shuffle(std::vector<double>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

// By falling score: T1 C0 T1 C1 T0 C1. The first point waits for somebody who was not treated.
TEST(UpliftCurveTest, IsWhatTheFormulasGiveByHand) {
  const People people{
      .scores = {6, 5, 4, 3, 2, 1}, .treated = {1, 0, 1, 0, 1, 0}, .outcomes = {1, 0, 1, 1, 0, 1}};
  const UpliftCurve curve = uplift_curve(people.view()).value();

  const std::vector<double> places = {0, 2, 3, 4, 5, 6};
  const std::vector<double> qini = {0, 1, 2, 2 - 1.0, 2 - 1.5, 0};
  const std::vector<double> gain = {0, 2, 3, (1 - 0.5) * 4, (2.0 / 3 - 0.5) * 5, 0};
  ASSERT_EQ(curve.points.size(), places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve.points[i].people, places[i]);
    EXPECT_NEAR(curve.points[i].qini, qini[i], 1e-12);
    EXPECT_NEAR(curve.points[i].gain, gain[i], 1e-12);
  }
  EXPECT_NEAR(curve.qini_area, (1 + 1.5 + 1.5 + 0.75 + 0.25) / 6, 1e-12);
  EXPECT_FALSE(curve.qini.has_value()) << "the whole effect is 0";
}

TEST(UpliftCurveTest, EqualScoresAreOnePointWhateverTheirOrder) {
  const People people{
      .scores = {2, 2, 2, 2, 1, 1}, .treated = {1, 1, 0, 0, 1, 0}, .outcomes = {1, 0, 0, 1, 1, 0}};
  People turned = people;
  std::ranges::reverse(turned.scores);
  std::ranges::reverse(turned.treated);
  std::ranges::reverse(turned.outcomes);

  const UpliftCurve curve = uplift_curve(people.view()).value();
  EXPECT_EQ(curve.points.size(), 3);
  EXPECT_DOUBLE_EQ(curve.qini_area, uplift_curve(turned.view())->qini_area);
}

TEST(UpliftCurveTest, OneScoreForAllIsTheStraightLine) {
  People people = drawn(500, 1);
  std::ranges::fill(people.scores, 7.0);
  const UpliftCurve curve = uplift_curve(people.view()).value();
  EXPECT_DOUBLE_EQ(curve.qini_area, 0);
  EXPECT_DOUBLE_EQ(*curve.qini, 0);
  EXPECT_DOUBLE_EQ(*curve.auuc, 0.5);
}

// With effects uniform in [0, .4] the best share s has the mean effect .4 - .2 s.
TEST(UpliftCurveTest, PerfectScoresGiveTheTrueMeanOfTheBest) {
  const People people = drawn(200'000, 2);
  const UpliftCurve curve = uplift_curve(people.view()).value();
  // Four standard errors each.
  EXPECT_NEAR(curve.uplift_at(0.1), 0.38, 0.026);
  EXPECT_NEAR(curve.uplift_at(0.3), 0.34, 0.015);
  EXPECT_NEAR(curve.uplift_at(1.0), 0.2, 0.008);
  // U(s)/n = .4 s - .2 s^2, whose area is .2 - .2/3, of an end of .2.
  EXPECT_NEAR(*curve.auuc, 2.0 / 3, 0.01);
  EXPECT_NEAR(*curve.qini, 1.0 / 6, 0.01);
}

TEST(UpliftCurveTest, ShuffledScoresGiveAQiniOfNoughtWithinTwoStandardErrors) {
  People people = drawn(2'000, 3);
  Random random(4);
  constexpr int k_shuffles = 300;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < k_shuffles; ++i) {
    shuffle(people.scores, random);
    const double area = uplift_curve(people.view())->qini_area;
    sum += area;
    squares += area * area;
  }
  const double mean = sum / k_shuffles;
  const double error = std::sqrt((squares / k_shuffles - mean * mean) / (k_shuffles - 1));
  EXPECT_GT(error, 0);
  EXPECT_LT(std::abs(mean), 2 * error);
}

TEST(UpliftCurveTest, TheBootstrapHoldsNoughtForShuffledScoresAndNotForGoodOnes) {
  Random random(5);
  int holds = 0;
  constexpr int k_samples = 60;
  for (int i = 0; i < k_samples; ++i) {
    People people = drawn(800, 100 + static_cast<std::uint64_t>(i));
    shuffle(people.scores, random);
    const Interval area = curve_intervals(people.view())->qini_area;
    holds += area.low <= 0 && area.high >= 0 ? 1 : 0;
  }
  EXPECT_GE(holds, 52);  // 95 % of 60 are 57, three standard errors below 52
  EXPECT_LE(holds, 60);
  EXPECT_GT(curve_intervals(drawn(5'000, 6).view())->qini_area.low, 0);
}

TEST(UpliftCurveTest, TheSeedDecidesTheIntervalAndThreadsDoNot) {
  const People people = drawn(500, 7);
  const Interval one =
      curve_intervals(people.view(), {.resamples = 50, .seed = 1, .threads = 1})->gain_area;
  const Interval two =
      curve_intervals(people.view(), {.resamples = 50, .seed = 1, .threads = 2})->gain_area;
  EXPECT_EQ(one.low, two.low);
  EXPECT_EQ(one.high, two.high);
  EXPECT_LE(one.low, one.mean);
}

// Two of three are helped and the others harmed: leaving those out does better than offering to
// all, so the curve's middle is above its end.
TEST(UpliftCurveTest, HarmedPeopleLiftTheCoefficients) {
  People people;
  for (int i = 0; i < 600; ++i) {
    const bool is_treated = i % 2 == 0;
    const bool is_helped = i < 400;
    people.scores.push_back(is_helped ? 1 : 0);
    people.treated.push_back(is_treated ? 1 : 0);
    people.outcomes.push_back(is_helped == is_treated ? 1 : 0);
  }
  const UpliftCurve curve = uplift_curve(people.view()).value();
  // U rises to 400 at two thirds and falls to 200: an area of 133.3 + 100, less the line's 100.
  EXPECT_NEAR(curve.gain_area, 133.333, 0.001);
  EXPECT_NEAR(*curve.auuc, 233.333 / 200, 1e-5);
}

// Sizes of the groups are as by chance; the effect of 2 % is no divisor.
TEST(UpliftCurveTest, NoCoefficientWhereTheEffectIsNoise) {
  People people;
  for (int i = 0; i < 200; ++i) {
    people.scores.push_back(i);
    people.treated.push_back(i % 2 == 0 ? 1 : 0);
    people.outcomes.push_back(i % 4 < 2 || i == 2 || i == 6 ? 1 : 0);
  }
  const UpliftCurve curve = uplift_curve(people.view()).value();
  EXPECT_FALSE(curve.qini.has_value());
  EXPECT_FALSE(curve.auuc.has_value());
}

TEST(UpliftCurveTest, RefusesAGroupWithoutPeopleAndNumbersThatAreNone) {
  People people = drawn(10, 8);
  std::ranges::fill(people.treated, std::uint8_t{1});
  EXPECT_FALSE(uplift_curve(people.view()).ok());
  people.treated[0] = 0;
  EXPECT_TRUE(uplift_curve(people.view()).ok());
  people.scores[3] = std::nan("");
  EXPECT_FALSE(uplift_curve(people.view()).ok());
  people.scores.pop_back();
  EXPECT_FALSE(uplift_curve(people.view()).ok());
}

}  // namespace
}  // namespace vitrine::training
