// Open Bandit's published figures, a synthetic log whose truth is known, and refusals.
#include "training/uplift/off_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "base/random.h"
#include "base/status.h"
#include "training/table_file.h"
#include "training/uplift/exploration.h"

namespace vitrine::training {
namespace {

using testing::HasSubstr;

struct Impression {
  bool is_random = false;
  std::string item;
  int position = 0;
  double click = 0;
  double propensity = 0;
};

std::vector<Impression> impressions_of(bool random_policy) {
  std::vector<Impression> impressions;
  const std::vector<std::string_view> columns = {"policy", "item", "position", "click",
                                                 "propensity"};
  const absl::Status read = read_table(
      std::filesystem::path(VITRINE_FIXTURES) / "open_bandit_men.csv.gz", columns,
      [&](std::span<const std::string_view> row) -> absl::Status {
        if ((row[0] == "random") != random_policy) return absl::OkStatus();
        impressions.push_back({row[0] == "random", std::string(row[1]),
                               static_cast<int>(parse_number("position", row[2]).value()),
                               parse_number("click", row[3]).value(),
                               parse_number("propensity", row[4]).value()});
        return absl::OkStatus();
      });
  EXPECT_TRUE(read.ok()) << read;
  return impressions;
}

constexpr double k_items = 34;

// Clicks by item and position, drawn towards the rate of all as if by 100 impressions of it.
class ClickModel {
 public:
  explicit ClickModel(const std::vector<Impression>& impressions) {
    for (const Impression& one : impressions) {
      mean_ += one.click / static_cast<double>(impressions.size());
      auto& [clicks, shown] = cells_[{one.item, one.position}];
      clicks += one.click;
      ++shown;
    }
  }
  double rate(const std::string& item, int position) const {
    const auto found = cells_.find({item, position});
    const auto [clicks, shown] =
        found == cells_.end() ? std::pair<double, double>{} : found->second;
    return (clicks + 100 * mean_) / (shown + 100);
  }
  double uniform_rate(int position) const {
    double clicks = 0;
    double items = 0;
    for (const auto& [cell, counts] : cells_) {
      if (cell.second != position) continue;
      clicks += rate(cell.first, position);
      ++items;
    }
    return (clicks + (k_items - items) * mean_) / k_items;
  }

 private:
  std::map<std::pair<std::string, int>, std::pair<double, double>> cells_;
  double mean_ = 0;
};

OffPolicyEstimate uniform_policy_by_the_bandits_log() {
  const std::vector<Impression> impressions = impressions_of(false);
  const ClickModel model(impressions);
  OffPolicyEstimator estimator;
  for (const Impression& one : impressions) {
    EXPECT_TRUE(estimator
                    .add({.propensity = one.propensity,
                          .target_propensity = 1 / k_items,
                          .reward = one.click,
                          .predicted = model.rate(one.item, one.position),
                          .predicted_target = model.uniform_rate(one.position)})
                    .ok());
  }
  return estimator.estimate();
}

TEST(OffPolicyTest, ReproducesTheFiguresOfOpenBanditsMensCampaign) {
  const OffPolicyEstimate estimate = uniform_policy_by_the_bandits_log();
  EXPECT_EQ(estimate.decisions, 10'000);
  EXPECT_NEAR(estimate.logged.value, 0.0069, 1e-9);
  EXPECT_NEAR(estimate.ips.value, 0.00300863, 5e-9);
  EXPECT_NEAR(estimate.ips.error, 0.00077394, 5e-9);
  EXPECT_NEAR(estimate.snips.value, 0.00318942, 5e-9);
  EXPECT_NEAR(estimate.direct.value, 0.00659524, 5e-9);
  EXPECT_NEAR(estimate.doubly_robust.value, 0.00321390, 5e-9);
  EXPECT_NEAR(estimate.doubly_robust.error, 0.00082204, 1e-8);
  EXPECT_NEAR(estimate.weight_mean, 0.9433, 5e-5);
  EXPECT_NEAR(estimate.weight_max, 178.25, 0.005);
  EXPECT_NEAR(estimate.effective, 655.7, 0.05);
}

// The gain's interval lies below 0, yet 656 of 10,000 decisions carry it.
TEST(OffPolicyTest, RefusesAVerdictWhereAFewImpressionsDecide) {
  const OffPolicyEstimate estimate = uniform_policy_by_the_bandits_log();
  EXPECT_LT(estimate.gain.value + 1.96 * estimate.gain.error, 0);
  EXPECT_EQ(estimate.verdict, Verdict::cannot_tell);
  EXPECT_THAT(estimate.refusals,
              testing::ElementsAre("the log tells as much as 655.7 decisions, 1000 are needed"));
}

// The same policy that wrote the log: weights of 1, and what was earned.
TEST(OffPolicyTest, APolicyJudgedByItsOwnLogIsWorthWhatItEarned) {
  OffPolicyEstimator estimator;
  for (const Impression& one : impressions_of(true)) {
    ASSERT_TRUE(estimator
                    .add({.propensity = one.propensity,
                          .target_propensity = one.propensity,
                          .reward = one.click})
                    .ok());
  }
  const OffPolicyEstimate estimate = estimator.estimate();
  EXPECT_NEAR(estimate.ips.value, 0.0046, 1e-12);
  EXPECT_NEAR(estimate.effective, 10'000, 1e-6);
  EXPECT_TRUE(estimate.refusals.empty());
  EXPECT_EQ(estimate.verdict, Verdict::cannot_tell) << "nothing is gained by no change";
}

struct Synthetic {
  OffPolicyEstimate estimate;
  double truth = 0;
};

// A log of SquareCB over four arms, judged for a policy that always takes one of them. The model
// of the reward is wrong by `bias`.
Synthetic synthetic(std::uint64_t seed, std::size_t arm_of_policy, double bias) {
  const std::vector<double> truth = {0.10, 0.15, 0.30, 0.05};
  const std::vector<double> p =
      propensities_of(std::vector<double>{0.2, 0.25, 0.2, 0.0}, {.gamma = 20, .floor = 0.01});
  Random random(seed);
  OffPolicyEstimator estimator;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint32_t arm = drawn_arm(p, random.uniform());
    const double reward = random.uniform() < truth[arm] ? 1 : 0;
    EXPECT_TRUE(estimator
                    .add({.propensity = p[arm],
                          .target_propensity = arm == arm_of_policy ? 1.0 : 0.0,
                          .reward = reward,
                          .predicted = truth[arm] + bias,
                          .predicted_target = truth[arm_of_policy] + bias})
                    .ok());
  }
  return {estimator.estimate(), truth[arm_of_policy]};
}

TEST(OffPolicyTest, EveryEstimatorMeetsTheTruthOfASyntheticLog) {
  int ips = 0;
  int snips = 0;
  int robust = 0;
  constexpr int k_logs = 100;
  for (int i = 0; i < k_logs; ++i) {
    const Synthetic log = synthetic(static_cast<std::uint64_t>(i), 2, 0.1);
    const auto holds = [&](const Estimate& estimate) {
      return std::abs(estimate.value - log.truth) < 1.96 * estimate.error ? 1 : 0;
    };
    ips += holds(log.estimate.ips);
    snips += holds(log.estimate.snips);
    robust += holds(log.estimate.doubly_robust);
    EXPECT_LT(log.estimate.doubly_robust.error, log.estimate.ips.error);
  }
  for (const int count : {ips, snips, robust}) EXPECT_GE(count, 88);  // 95 less three errors
}

TEST(OffPolicyTest, SaysBetterAndWorseWhereTheLogCarriesIt) {
  EXPECT_EQ(synthetic(1, 2, 0).estimate.verdict, Verdict::better);
  EXPECT_EQ(synthetic(1, 0, 0).estimate.verdict, Verdict::worse);
}

TEST(OffPolicyTest, RefusesAPolicyThatDoesWhatWasNeverDone) {
  OffPolicyEstimator estimator;
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(estimator
                    .add({.propensity = 0.5,
                          .target_propensity = i % 2 == 0 ? 0.98 : 0.0,
                          .reward = 1,
                          .unsupported = 0.02})
                    .ok());
  }
  EXPECT_THAT(estimator.estimate().refusals, testing::ElementsAre(HasSubstr("2.0 %")));
}

TEST(OffPolicyTest, RefusesProbabilitiesThatAreNone) {
  OffPolicyEstimator estimator;
  EXPECT_FALSE(estimator.add({.propensity = 0, .target_propensity = 0.5}).ok());
  EXPECT_FALSE(estimator.add({.propensity = 1.1, .target_propensity = 0.5}).ok());
  EXPECT_FALSE(estimator.add({.propensity = 0.5, .target_propensity = -0.1}).ok());
  EXPECT_FALSE(estimator.add({.propensity = 0.5, .unsupported = 2}).ok());
  EXPECT_FALSE(estimator.add({.propensity = 0.5, .reward = std::nan("")}).ok());
  EXPECT_EQ(estimator.estimate().decisions, 0);
  EXPECT_THAT(estimator.estimate().refusals, testing::ElementsAre(HasSubstr("no decisions")));
}

}  // namespace
}  // namespace vitrine::training
