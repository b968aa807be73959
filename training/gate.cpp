#include "training/gate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/split.h"

namespace vitrine::training {
namespace {

// One recipe's lists, judged on the slice. Users are named, as two data sets number them apart.
struct Judgement {
  Evaluation evaluation;
  std::vector<std::string> users;
};

absl::StatusOr<Judgement> judge(const Split& split, const Recipe& recipe,
                                const GateOptions& options, const TrainObserver& observer) {
  TrainOptions train_options;
  train_options.als = recipe.als;
  train_options.parts = TrainParts::factors;
  VITRINE_ASSIGN_OR_RETURN(
      const TrainOutcome trained,
      train(split.train, train_options, {.name = "gate"}, SystemClock(),
            {.on_epoch = observer.on_epoch, .on_stage = {}, .cancel = observer.cancel}));
  Judgement judgement;
  VITRINE_ASSIGN_OR_RETURN(judgement.evaluation,
                           evaluate(split, factor_ranking(split.train, trained.model),
                                    {.cutoffs = {options.cutoff}, .threads = recipe.als.threads}));
  for (const std::uint32_t user : judgement.evaluation.user_numbers)
    judgement.users.push_back(split.train.users[user]);
  return judgement;
}

// The numbers of the users that both have, in the same order.
std::pair<std::vector<float>, std::vector<float>> paired(const Judgement& a, const Judgement& b,
                                                         const std::string& metric) {
  StringMap<float> of_b;
  for (std::size_t i = 0; i < b.users.size(); ++i)
    of_b.emplace(b.users[i], b.evaluation.by_user.at(metric)[i]);
  std::pair<std::vector<float>, std::vector<float>> numbers;
  for (std::size_t i = 0; i < a.users.size(); ++i) {
    const auto found = of_b.find(a.users[i]);
    if (found == of_b.end()) continue;
    numbers.first.push_back(a.evaluation.by_user.at(metric)[i]);
    numbers.second.push_back(found->second);
  }
  return numbers;
}

GateVerdict not_compared(std::string reason) {
  GateVerdict verdict;
  verdict.passed = true;
  verdict.reason = std::move(reason);
  return verdict;
}

GateVerdict verdict_of(const Judgement& candidate, const Judgement& current,
                       const GateOptions& options) {
  const std::string metric = fmt::format("ndcg@{}", options.cutoff);
  const std::string coverage = fmt::format("coverage@{}", options.cutoff);
  const auto [ours, theirs] = paired(candidate, current, metric);
  const std::vector<float> gains = differences(ours, theirs);
  const std::span<const float> series[] = {gains};

  GateVerdict verdict;
  verdict.users = gains.size();
  verdict.candidate = candidate.evaluation.metrics;
  verdict.current = current.evaluation.metrics;
  verdict.difference = bootstrap_means(series).front();
  const Interval& difference = *verdict.difference;
  const std::string figures = fmt::format(
      "{} {:.4f} against {:.4f} of the current recipe, difference {:+.4f} [{:+.4f}, "
      "{:+.4f}], {} users of the last {} days",
      metric, verdict.candidate.at(metric), verdict.current.at(metric), difference.mean,
      difference.low, difference.high, verdict.users, options.slice_ms / k_day_ms);
  const double shown = verdict.candidate.at(coverage);
  const double shown_before = verdict.current.at(coverage);
  if (difference.high < 0) {
    verdict.reason = "clearly worse: " + figures;
  } else if (shown < options.coverage_kept_min * shown_before) {
    verdict.reason = fmt::format("shows {:.1f} % of the products, the current recipe {:.1f} %; {}",
                                 100 * shown, 100 * shown_before, figures);
  } else {
    verdict.passed = true;
    verdict.reason = (difference.low > 0 ? "better: " : "not worse: ") + figures;
  }
  return verdict;
}

absl::StatusOr<Split> slice_of(const InteractionSource& source, const Recipe& recipe, TimeMs cut,
                               TimeMs until) {
  DatasetOptions dataset;
  dataset.confidence = recipe.confidence;
  SplitBuilder builder(dataset);
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms <= until) builder.add_by_time(one, cut);
  }));
  return builder.build();
}

}  // namespace

absl::StatusOr<GateVerdict> compare_recipes(const InteractionSource& source,
                                            const Recipe& candidate, const Recipe& current,
                                            TimeMs until, const GateOptions& options,
                                            const TrainObserver& observer) {
  const bool is_one_recipe = is_same(candidate, current);
  const TimeMs cut = until - options.slice_ms;
  Judgement judged[2];
  const Recipe* const recipes[] = {&candidate, &current};
  for (std::size_t i = 0; i < (is_one_recipe ? 1 : 2); ++i) {
    const absl::StatusOr<Split> split = slice_of(source, *recipes[i], cut, until);
    const bool is_too_small = split.ok()
                                  ? split->fresh.users.size() < options.users_min
                                  : split.status().code() == absl::StatusCode::kFailedPrecondition;
    if (is_too_small) {
      return not_compared(fmt::format(
          "not compared: {} known users bought something new in the last {} days, {} are needed",
          split.ok() ? split->fresh.users.size() : 0, options.slice_ms / k_day_ms,
          options.users_min));
    }
    if (!split.ok()) return split.status();
    VITRINE_ASSIGN_OR_RETURN(judged[i], judge(*split, *recipes[i], options, observer));
  }
  if (is_one_recipe) {
    GateVerdict verdict = not_compared("the recipe is the one of the current model");
    verdict.users = judged[0].users.size();
    verdict.candidate = judged[0].evaluation.metrics;
    return verdict;
  }
  return verdict_of(judged[0], judged[1], options);
}

GateVerdict check_model(const TrainOutcome& trained, std::uint64_t current_products,
                        const GateOptions& options) {
  GateVerdict verdict;
  const auto not_finite =
      std::find_if(trained.epochs.begin(), trained.epochs.end(),
                   [](const EpochReport& epoch) { return !std::isfinite(epoch.objective); });
  const auto products = static_cast<double>(trained.model->row_count());
  if (not_finite != trained.epochs.end()) {
    verdict.reason = fmt::format("the objective of epoch {} is not finite", not_finite->epoch);
  } else if (products < options.products_kept_min * static_cast<double>(current_products)) {
    verdict.reason = fmt::format("knows {} products, the current model {}",
                                 trained.model->row_count(), current_products);
  } else {
    verdict.passed = true;
    verdict.reason = "complete";
  }
  return verdict;
}

}  // namespace vitrine::training
