// Effects whose truth is known, an interval that keeps its promise, and people who answered.
#include "training/uplift/uplift_learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/random.h"
#include "base/status.h"
#include "training/table_file.h"
#include "training/uplift/uplift_curve.h"

namespace vitrine::training {
namespace {

using testing::ElementsAre;

constexpr UpliftMethod k_methods[] = {UpliftMethod::s, UpliftMethod::t, UpliftMethod::x,
                                      UpliftMethod::dr};

struct Trial {
  UpliftExamples people;
  std::vector<double> effects;  // true
};

// Amounts of a + b^2 + noise, which a line cannot follow, and an effect of 1 + c; the offer goes to
// `share` of the people.
Trial amounts(std::size_t count, double share, std::uint64_t seed) {
  Random random(seed);
  Trial trial;
  trial.people.inputs = 3;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = random.normal();
    const double b = random.normal();
    const double c = random.normal();
    const bool is_treated = random.uniform() < share;
    const double effect = 1 + c;
    const double outcome = 2 * a + b * b + (is_treated ? effect : 0) + random.normal();
    const float row[] = {static_cast<float>(a), static_cast<float>(b), static_cast<float>(c)};
    trial.people.add(row, is_treated, static_cast<float>(outcome), share);
    trial.effects.push_back(effect);
  }
  return trial;
}

// Conversions of logit -2 + a, moved by 1 + c through the offer.
Trial conversions(std::size_t count, double share, std::uint64_t seed) {
  Random random(seed);
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  Trial trial;
  trial.people.inputs = 3;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = random.normal();
    const double b = random.normal();
    const double c = random.normal();
    const bool is_treated = random.uniform() < share;
    const double without = logistic(-2 + a);
    const double with = logistic(-1 + a + c);
    const float row[] = {static_cast<float>(a), static_cast<float>(b), static_cast<float>(c)};
    trial.people.add(row, is_treated, random.uniform() < (is_treated ? with : without) ? 1 : 0,
                     share);
    trial.effects.push_back(with - without);
  }
  return trial;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double correlation(const UpliftModel& model, const Trial& trial) {
  double xy = 0;
  double xx = 0;
  double yy = 0;
  std::vector<double> guesses;
  for (std::size_t i = 0; i < trial.people.size(); ++i)
    guesses.push_back(model.effect(trial.people.row(i)));
  const double guess_mean = mean_of(guesses);
  const double truth_mean = mean_of(trial.effects);
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const double x = guesses[i] - guess_mean;
    const double y = trial.effects[i] - truth_mean;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xy / std::sqrt(xx * yy);
}

double qini_area(const UpliftModel& model, const UpliftExamples& people) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < people.size(); ++i) scores.push_back(model.effect(people.row(i)));
  const std::vector<double> outcomes(people.outcomes.begin(), people.outcomes.end());
  return uplift_curve({scores, people.treated, outcomes})->qini_area;
}

TEST(UpliftLearnerTest, EveryMethodFindsWhomTheOfferMoves) {
  for (const UpliftMethod method : k_methods) {
    const Trial amount = amounts(6'000, 0.5, 1);
    const UpliftFit of_amounts =
        fit_uplift(amount.people, {.method = method, .outcome = OutcomeKind::amount}).value();
    EXPECT_GT(correlation(of_amounts.model, amounts(2'000, 0.5, 2)), 0.95) << name_of(method);
    const Trial conversion = conversions(20'000, 0.3, 3);
    const UpliftFit of_conversions = fit_uplift(conversion.people, {.method = method}).value();
    EXPECT_GT(correlation(of_conversions.model, conversions(5'000, 0.3, 4)), 0.85)
        << name_of(method);
    EXPECT_GT(qini_area(of_conversions.model, conversions(20'000, 0.3, 5).people), 0)
        << name_of(method);
  }
}

// The bar of the project: 93 to 98 % of 500 seeds, for a fifth with the offer and models that
// cannot follow the outcomes.
TEST(UpliftLearnerTest, TheAverageEffectOfDrLiesWithinTwoStandardErrorsAsOftenAsItShould) {
  int within = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Trial trial = amounts(600, 0.2, 1'000 + seed);
    const Estimate average =
        fit_uplift(trial.people, {.outcome = OutcomeKind::amount, .ridge = 1})->average;
    within += std::abs(average.value - 1) <= 2 * average.error ? 1 : 0;
  }
  EXPECT_GE(within, 465);
  EXPECT_LE(within, 490);
}

TEST(UpliftLearnerTest, DrKnowsTheAverageBetterThanTheGroupsMeansDo) {
  const Trial trial = amounts(4'000, 0.2, 7);
  const UpliftFit dr = fit_uplift(trial.people, {.outcome = OutcomeKind::amount}).value();
  const UpliftFit t =
      fit_uplift(trial.people, {.method = UpliftMethod::t, .outcome = OutcomeKind::amount}).value();
  EXPECT_LT(dr.average.error, 0.8 * t.average.error);
  EXPECT_NEAR(dr.average.value, 1, 3 * dr.average.error);
  EXPECT_NEAR(t.average.value, 1, 3 * t.average.error);
}

TEST(UpliftLearnerTest, AnOfferWithoutEffectHasAnAverageOfNoughtAndNoQini) {
  Random random(8);
  int outside = 0;
  double areas = 0;
  double squares = 0;
  constexpr int k_trials = 40;
  for (int i = 0; i < k_trials; ++i) {
    UpliftExamples both[2];
    for (UpliftExamples& people : both) {
      people.inputs = 2;
      for (int person = 0; person < 1'500; ++person) {
        const float row[] = {static_cast<float>(random.normal()),
                             static_cast<float>(random.normal())};
        const double p = 0.3 + 0.1 * std::clamp<double>(row[0], -2, 2);
        people.add(row, random.uniform() < 0.5, random.uniform() < p ? 1 : 0, 0.5);
      }
    }
    const UpliftFit fit = fit_uplift(both[0], {}).value();
    outside += std::abs(fit.average.value) > 2 * fit.average.error ? 1 : 0;
    const double area = qini_area(fit.model, both[1]);
    areas += area / k_trials;
    squares += area * area / k_trials;
  }
  EXPECT_LE(outside, 6);
  EXPECT_LT(std::abs(areas), 2 * std::sqrt((squares - areas * areas) / (k_trials - 1)));
}

TEST(UpliftLearnerTest, TheSameExamplesAndSeedGiveTheSameModel) {
  const Trial trial = conversions(2'000, 0.5, 9);
  const UpliftFit one = fit_uplift(trial.people, {.seed = 5}).value();
  const UpliftFit two = fit_uplift(trial.people, {.seed = 5}).value();
  EXPECT_EQ(one.model.direct.weights, two.model.direct.weights);
  EXPECT_EQ(one.average.value, two.average.value);
  EXPECT_NE(one.average.value, fit_uplift(trial.people, {.seed = 6})->average.value);
}

TEST(UpliftLearnerTest, RefusesAGroupWithoutPeopleAndSharesThatAreNone) {
  UpliftExamples people = conversions(50, 0.5, 10).people;
  EXPECT_FALSE(fit_uplift(people, {.folds = 1}).ok());
  EXPECT_FALSE(fit_uplift(people, {.folds = 51}).ok());
  EXPECT_FALSE(fit_uplift(people, {.ridge = -1}).ok());
  people.treated_shares[3] = 1;
  EXPECT_FALSE(fit_uplift(people, {}).ok());
  people.treated_shares[3] = 0.5F;
  people.outcomes[3] = 0.5F;
  EXPECT_THAT(std::string(message_of(fit_uplift(people, {}).status())),
              testing::HasSubstr("must be 0 or 1, got 0.5"));
  people.outcomes[3] = 1;
  std::ranges::fill(people.treated, std::uint8_t{1});
  EXPECT_FALSE(fit_uplift(people, {}).ok());
  people.treated[0] = 0;
  EXPECT_FALSE(fit_uplift(people, {}).ok()) << "its own fold has nobody to compare with";
  EXPECT_TRUE(fit_uplift(people, {.method = UpliftMethod::t}).ok());
}

TEST(MonotoneEffectsTest, PoolsWhatFallsAndKeepsWhatRises) {
  EXPECT_THAT(monotone_effects(std::vector<double>{1, 2, 4}, std::vector<double>{1, 1, 1}),
              ElementsAre(1, 2, 4));
  EXPECT_THAT(monotone_effects(std::vector<double>{1, 5, 2, 3}, std::vector<double>{1, 1, 3, 1}),
              ElementsAre(1, 2.75, 2.75, 3));
  EXPECT_THAT(monotone_effects(std::vector<double>{3, 2, 1}, std::vector<double>{1, 1, 1}),
              ElementsAre(2, 2, 2));
}

TEST(MonotoneEffectsTest, IsNearestOfAllRisingSequencesOnAGrid) {
  Random random(11);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> effects(3);
    for (double& effect : effects) effect = static_cast<double>(random.below(11)) / 10;
    const std::vector<double> weights = {1, 2, 1};
    const auto distance = [&](double a, double b, double c) {
      return std::pow(a - effects[0], 2) + 2 * std::pow(b - effects[1], 2) +
             std::pow(c - effects[2], 2);
    };
    const std::vector<double> found = monotone_effects(effects, weights);
    ASSERT_TRUE(std::ranges::is_sorted(found));
    for (int a = 0; a <= 20; ++a) {
      for (int b = a; b <= 20; ++b) {
        for (int c = b; c <= 20; ++c) {
          EXPECT_LE(distance(found[0], found[1], found[2]),
                    distance(a / 20.0, b / 20.0, c / 20.0) + 1e-12);
        }
      }
    }
  }
}

// Drivers were asked whether they would take a coupon; some coupons were good for a day, others for
// two hours. The longer one is the offer here. It was not drawn by lot, so its share is taken for
// each kind of coupon.
class VehicleCouponTest : public testing::Test {
 protected:
  static constexpr std::size_t k_inputs = 5;

  void SetUp() override {
    const std::vector<std::string_view> columns = {
        "respondent_block", "coupon", "expiration", "Y", "Bar", "CoffeeHouse", "passenger"};
    const absl::Status read = read_table(
        std::filesystem::path(VITRINE_FIXTURES) / "vehicle_coupon.csv.gz", columns,
        [&](std::span<const std::string_view> row) -> absl::Status {
          Answer answer;
          answer.person = static_cast<int>(parse_number("respondent_block", row[0]).value());
          answer.coupon = row[1];
          answer.lasts_a_day = row[2] == "1d";
          answer.accepted = row[3] == "1" ? 1 : 0;
          answer.inputs = {row[1] == "Bar" ? 1.0F : 0.0F, row[1] == "Coffee House" ? 1.0F : 0.0F,
                           row[1] == "Carry out & Take away" ? 1.0F : 0.0F,
                           row[5] == "never" ? 1.0F : 0.0F, row[6] == "Alone" ? 1.0F : 0.0F};
          answers_.push_back(answer);
          return absl::OkStatus();
        });
    ASSERT_TRUE(read.ok()) << read;
    for (const Answer& answer : answers_) {
      auto& [days, all] = shares_[answer.coupon];
      days += answer.lasts_a_day ? 1 : 0;
      ++all;
    }
  }

  // People of even or of odd numbers: nobody is on both sides.
  UpliftExamples half(int rest) const {
    UpliftExamples people;
    people.inputs = k_inputs;
    for (const Answer& answer : answers_) {
      if (answer.person % 2 != rest) continue;
      const auto& [days, all] = shares_.at(answer.coupon);
      people.add(answer.inputs, answer.lasts_a_day, answer.accepted, days / all);
    }
    return people;
  }

  struct Answer {
    int person = 0;
    std::string coupon;
    bool lasts_a_day = false;
    float accepted = 0;
    std::vector<float> inputs;
  };
  std::vector<Answer> answers_;
  std::map<std::string, std::pair<double, double>> shares_;
};

TEST_F(VehicleCouponTest, ALongerValidityWinsDriversAndMostOfThoseWhomTheModelPutsFirst) {
  ASSERT_EQ(answers_.size(), 8'890);
  const UpliftExamples learnt = half(0);
  const UpliftExamples judged = half(1);
  for (const UpliftMethod method : k_methods) {
    const UpliftFit fit = fit_uplift(learnt, {.method = method}).value();
    EXPECT_GT(fit.average.value, 3 * fit.average.error) << name_of(method);
    EXPECT_GT(qini_area(fit.model, judged), 0) << name_of(method);
  }
}

}  // namespace
}  // namespace vitrine::training
