#include "server/app/commands/evaluate_placement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "base/string_map.h"
#include "server/app/commands/training_input.h"
#include "server/app/terminal/style.h"
#include "server/rehearsal/blend_learning.h"
#include "server/rehearsal/placement_ranking.h"
#include "training/activity.h"
#include "training/baselines.h"

namespace vitrine::app {
namespace {

using training::Interaction;

constexpr std::array<std::string_view, 3> k_beside = {"own_orders", "popular", "product_knn"};

// Where the data comes from, every product possibly replaced by its category.
struct Shop {
  std::vector<Product> products;
  training::InteractionSource source;
};

absl::StatusOr<Shop> open_shop(const PlacementEvaluation& asked, TrainingInput& input,
                               const ProductLimits& limits) {
  Shop shop;
  VITRINE_ASSIGN_OR_RETURN(shop.products, input.products(asked.products, limits));
  shop.source = input.source();
  if (!asked.by_category) return shop;

  auto path_of = std::make_shared<StringMap<std::string>>();
  StringMap<Product> categories;
  for (const Product& product : shop.products) {
    if (product.hidden || product.categories.empty()) continue;
    const std::string& path = product.categories.front();
    path_of->emplace(product.product_id, path);
    Product& category = categories[path];
    category.product_id = category.title = path;
    const std::size_t step = path.rfind(" > ");
    if (step != std::string::npos) category.categories = {path.substr(0, step)};
  }
  if (path_of->empty()) return wrong_use("--by-category needs products with categories");
  shop.products.clear();
  for (auto& [path, category] : categories) shop.products.push_back(std::move(category));
  std::ranges::sort(shop.products, {}, &Product::product_id);
  shop.source = [path_of,
                 whole = input.source()](const std::function<void(const Interaction&)>& take) {
    return whole([&](const Interaction& one) {
      const auto path = path_of->find(one.product);
      if (path == path_of->end()) return;
      Interaction renamed = one;
      renamed.product = path->second;
      take(renamed);
    });
  };
  return shop;
}

absl::Status check(const PlacementEvaluation& asked) {
  if (asked.split.empty()) return wrong_use("--placement needs --split TIME");
  for (const std::size_t cutoff : asked.cutoffs) {
    if (cutoff > recommend::Recommender::k_limit_max) {
      return wrong_use(fmt::format("--k must be at most {} with --placement, got {}",
                                   recommend::Recommender::k_limit_max, cutoff));
    }
  }
  return absl::OkStatus();
}

absl::Status add(const std::string& name, const training::Split& split,
                 const training::RankFunction& rank, const training::EvaluationOptions& options,
                 ReportSection& section) {
  RankingResult ranking;
  ranking.name = name;
  VITRINE_ASSIGN_OR_RETURN(ranking.result, training::evaluate(split, rank, options));
  ranking.by_activity = training::by_activity(ranking.result, split.train);
  section.rankings.push_back(std::move(ranking));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EvaluationReport> evaluate_placement(const PlacementEvaluation& asked,
                                                    const TrainingFlags& training,
                                                    const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(asked));
  const absl::StatusOr<TimeMs> split_ms = parse_time(asked.split);
  if (!split_ms.ok()) return wrong_use(fmt::format("--split: {}", message_of(split_ms.status())));
  VITRINE_ASSIGN_OR_RETURN(training::DatasetOptions options, dataset_options(training));
  VITRINE_ASSIGN_OR_RETURN(
      TrainingInput input,
      TrainingInput::open(invocation.config, asked.interactions, invocation.json));
  VITRINE_RETURN_IF_ERROR(check_memory(training, input.interactions_at_most()));
  VITRINE_ASSIGN_OR_RETURN(const Shop shop, open_shop(asked, input, invocation.config.products));

  training::SplitBuilder builder(options);
  rehearsal::Rehearsal past(*split_ms);
  VITRINE_RETURN_IF_ERROR(shop.source([&](const Interaction& one) {
    builder.add_by_time(one, *split_ms);
    past.take(one);
  }));
  VITRINE_ASSIGN_OR_RETURN(const training::Split split, builder.build());

  const CancelOnInterrupt cancel;
  const training::TrainObserver observer{.on_epoch = {}, .on_stage = {}, .cancel = &cancel.flag()};
  rehearsal::LearntBlends blends;
  if (asked.learns_blend) {
    training::DatasetOptions before = options;
    before.until = *split_ms - 1;
    VITRINE_ASSIGN_OR_RETURN(blends, rehearsal::learn_blends(shop.source, shop.products, before,
                                                             training.options, observer));
  }
  VITRINE_ASSIGN_OR_RETURN(
      const training::TrainOutcome trained,
      training::train(split.train, training.options, {.name = "evaluation"}, SystemClock(),
                      observer, blends.metrics, shop.products, blends.table));
  VITRINE_RETURN_IF_ERROR(
      past.open(shop.products, trained.model, recommend::PlacementBook::shipped()));

  EvaluationReport report = begin_report(split, asked.cutoffs);
  report.split = fmt::format("as of {}, judged on what was bought since", format_time(*split_ms));
  report.model = fmt::format(
      "trained for this, d = {}; {} {}", trained.model->factors().dimension(), asked.placement,
      trained.model->blends().find(asked.placement) != nullptr ? "by its learnt blend"
                                                               : "by hand-set weights");

  const training::EvaluationOptions judged{.cutoffs = asked.cutoffs,
                                           .repeats = training::Repeats::allowed,
                                           .threads = training.options.als.threads};
  ReportSection& section = report.repeats;
  section.title = "what people bought next, repeats allowed";
  VITRINE_ASSIGN_OR_RETURN(const training::RankFunction home,
                           rehearsal::placement_ranking(past, split.train, asked.placement));
  VITRINE_RETURN_IF_ERROR(add(asked.placement, split, home, judged, section));
  for (const std::string_view name : k_beside) {
    VITRINE_ASSIGN_OR_RETURN(const training::RankFunction rank,
                             training::baseline_ranking(name, split.train));
    VITRINE_RETURN_IF_ERROR(add(std::string(name), split, rank, judged, section));
  }
  VITRINE_RETURN_IF_ERROR(add(
      "personal", split, training::factor_ranking(split.train, trained.model), judged, section));
  add_intervals(section, report.cutoff);
  return report;
}

}  // namespace vitrine::app
