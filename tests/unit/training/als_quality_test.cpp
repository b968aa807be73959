// What the fast solvers cost in quality on a year of a real shop's orders: nothing to speak of.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/status.h"
#include "training/als_trainer.h"
#include "training/evaluator.h"
#include "training/interaction_file.h"
#include "training/split.h"

namespace vitrine::training {
namespace {

Split online_retail() {
  SplitBuilder builder{DatasetOptions{}};
  const TimeMs split_ms = parse_time("2011-10-01").value();
  const auto facts =
      read_interactions(std::filesystem::path(VITRINE_EXAMPLES) / "online_retail/events.csv.gz",
                        [&](const Interaction& one) { builder.add_by_time(one, split_ms); });
  EXPECT_TRUE(facts.ok()) << message_of(facts.status());
  return builder.build().value();
}

std::map<std::string, double> metrics_of(const Split& split, SolverKind solver) {
  AlsOptions options;
  options.solver = solver;
  const AlsResult result =
      train_als(split.train.by_user, split.train.by_product, options, {}, nullptr).value();
  const std::size_t stride = padded_dimension(options.factors.dimension);
  const auto score = [&](std::uint32_t user, std::span<float> scores) {
    const float* const row = result.user_factors.data() + user * stride;
    for (std::size_t product = 0; product < scores.size(); ++product) {
      const float* const other = result.product_factors.data() + product * stride;
      scores[product] = 0;
      for (std::size_t i = 0; i < stride; ++i) scores[product] += row[i] * other[i];
    }
  };
  return evaluate(split, ranking_by_score(score, split.train.products.size()), {.cutoffs = {20}})
      .value()
      .metrics;
}

TEST(AlsQualityTest, ConjugateGradientsKeepEveryMetricOfTheExactSolver) {
  const Split split = online_retail();
  const std::map<std::string, double> exact = metrics_of(split, SolverKind::dual);
  const std::map<std::string, double> fast = metrics_of(split, SolverKind::automatic);
  ASSERT_GT(exact.at("recall@20"), 0.09);
  for (const char* metric : {"recall@20", "recall_min@20", "ndcg@20"})
    EXPECT_NEAR(fast.at(metric), exact.at(metric), 0.0005) << metric;
}

}  // namespace
}  // namespace vitrine::training
