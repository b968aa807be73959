// Weights that make what was taken likely.
#include "training/uplift/choice_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace vitrine::training {
namespace {

// Choices among six candidates by exp(1.5 a - 0.5 b); the third input says nothing.
std::vector<Choice> drawn(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<Choice> choices(count);
  for (Choice& choice : choices) {
    // What candidates share moves all of them alike.
    const double shared = 10 * random.normal();
    std::vector<double> chances;
    double sum = 0;
    for (int candidate = 0; candidate < 6; ++candidate) {
      const double a = random.normal() + shared;
      const double b = 4 * random.normal();
      choice.values.insert(choice.values.end(),
                           {static_cast<float>(a), static_cast<float>(b), 3.0F});
      chances.push_back(std::exp(1.5 * (a - shared) - 0.5 * b));
      sum += chances.back();
    }
    double chance = random.uniform() * sum;
    while (choice.taken + 1 < chances.size() && chance >= chances[choice.taken])
      chance -= chances[choice.taken++];
  }
  return choices;
}

TEST(ChoiceModelTest, FindsTheWeightsByWhichChoicesWereDrawn) {
  const ChoiceModel model = fit_choices(drawn(4'000, 1), 3, 0.1);
  EXPECT_NEAR(model.weights[0], 1.5, 0.12);
  EXPECT_NEAR(model.weights[1], -0.5, 0.04);
  EXPECT_EQ(model.weights[2], 0);
}

TEST(ChoiceModelTest, ScoresRankWhatIsTakenFirstMoreOftenThanChance) {
  const ChoiceModel model = fit_choices(drawn(1'000, 2), 3, 1);
  int first = 0;
  for (const Choice& choice : drawn(1'000, 3)) {
    bool is_first = true;
    const std::span<const float> values(choice.values);
    for (std::size_t i = 0; i < 6; ++i) {
      is_first = is_first && model.score(values.subspan(3 * i, 3)) <=
                                 model.score(values.subspan(3 * choice.taken, 3));
    }
    first += is_first ? 1 : 0;
  }
  EXPECT_GT(first, 450);  // one in six are 167
}

TEST(ChoiceModelTest, ChancesAddUpAndFollowTheScoresHoweverLargeTheyAre) {
  const ChoiceModel model{.weights = {1, 1'000}};
  const std::vector<float> values = {0, 1, 1, 1, 1, 1};
  const std::vector<double> chances = model.chances(values);
  const double e = std::exp(1.0);
  ASSERT_EQ(chances.size(), 3);
  EXPECT_NEAR(chances[0], 1 / (1 + 2 * e), 1e-12);
  EXPECT_NEAR(chances[1], e / (1 + 2 * e), 1e-12);
  EXPECT_EQ(chances[1], chances[2]);
  EXPECT_TRUE(model.chances({}).empty());
}

TEST(ChoiceModelTest, WithoutChoicesAllCandidatesAreAlike) {
  const ChoiceModel model = fit_choices({}, 2, 1);
  EXPECT_EQ(model.weights, (std::vector<double>{0, 0}));
}

// One choice is separable: only the ridge bounds its weight.
TEST(ChoiceModelTest, TheRidgeHoldsWhatIsSeparable) {
  const std::vector<Choice> one = {{.values = {0, 1}, .taken = 1}};
  const double loose = fit_choices(one, 1, 0.01).weights[0];
  const double tight = fit_choices(one, 1, 10).weights[0];
  EXPECT_TRUE(std::isfinite(loose));
  EXPECT_GT(loose, tight);
  EXPECT_GT(tight, 0);
}

}  // namespace
}  // namespace vitrine::training
