// What an epoch and a fold-in cost, and what the model is worth beside the baselines, in one run.
//
//   bench_training                      examples/online_retail, split on 2011-10-01
//   bench_training FOLDER LAMBDA ALPHA0 train.txt and test.txt of FOLDER, in any form the trainer
//   reads
//
// CPU seconds are the figure to compare on a shared machine; each is the least of its epochs.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "benchmarks/support/about.h"
#include "model/vector_kernels.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/interaction_file.h"
#include "training/train_job.h"

namespace vitrine::training {
namespace {

absl::StatusOr<Split> read_split(const std::filesystem::path& folder) {
  SplitBuilder builder{DatasetOptions{}};
  if (!folder.empty()) {
    const auto train = [&](const Interaction& one) { builder.add_train(one); };
    const auto test = [&](const Interaction& one) { builder.add_test(one); };
    VITRINE_RETURN_IF_ERROR(read_interactions(folder / "train.txt", train).status());
    VITRINE_RETURN_IF_ERROR(read_interactions(folder / "test.txt", test).status());
    return builder.build();
  }
  VITRINE_ASSIGN_OR_RETURN(const TimeMs split_ms, parse_time("2011-10-01"));
  const auto add = [&](const Interaction& one) { builder.add_by_time(one, split_ms); };
  VITRINE_RETURN_IF_ERROR(read_interactions("examples/online_retail/events.csv.gz", add).status());
  return builder.build();
}

void print_epochs(const TrainOutcome& outcome, std::uint32_t dimension) {
  double cpu = outcome.epochs.front().cpu_seconds;
  double wall = outcome.epochs.front().wall_seconds;
  for (const EpochReport& epoch : outcome.epochs) {
    cpu = std::min(cpu, epoch.cpu_seconds);
    wall = std::min(wall, epoch.wall_seconds);
  }
  fmt::print("epoch      d={:<4} cpu {:.3f} s  wall {:.3f} s\n", dimension, cpu, wall);
}

void print_fold_in(const FactorModel& factors) {
  constexpr int k_rounds = 2000;
  for (const std::size_t length : {1U, 10U, 50U, 200U}) {
    Random random(1);
    std::vector<std::uint32_t> rows(length);
    for (std::uint32_t& row : rows)
      row = static_cast<std::uint32_t>(random.below(factors.row_count()));
    const std::vector<float> confidences(length, 1);
    std::vector<float> user(factors.dimension());
    double best_us = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const std::int64_t begin_us = steady_us();
      for (int round = 0; round < k_rounds; ++round) factors.fold_in(rows, confidences, user);
      best_us = std::min(best_us, static_cast<double>(steady_us() - begin_us) / k_rounds);
    }
    fmt::print("fold-in    d={:<4} {:>3} products {:.2f} us\n", factors.dimension(), length,
               best_us);
  }
}

absl::Status print_quality(const Split& split, std::string_view name, const RankFunction& rank) {
  for (const Repeats repeats : {Repeats::excluded, Repeats::allowed}) {
    VITRINE_ASSIGN_OR_RETURN(Evaluation found,
                             evaluate(split, rank, {.cutoffs = {20}, .repeats = repeats}));
    fmt::print(
        "quality    {:12} {:9} recall@20 {:.4f}  ndcg@20 {:.4f}  coverage@20 {:.3f}  ({} users, {} "
        "pairs)\n",
        name, repeats == Repeats::excluded ? "new to user" : "all", found.metrics["recall@20"],
        found.metrics["ndcg@20"], found.metrics["coverage@20"], found.users, found.pairs);
  }
  return absl::OkStatus();
}

absl::Status run(const std::filesystem::path& folder, const TrainOptions& given) {
  VITRINE_ASSIGN_OR_RETURN(const Split split, read_split(folder));
  const SystemClock clock;
  fmt::print("machine    {} ({})\ncommit     {}\ndata       {}: {} users, {} products, {} pairs\n",
             machine(), vector_kernels().instruction_set, commit(),
             folder.empty() ? "examples/online_retail before 2011-10-01" : folder.string(),
             split.train.users.size(), split.train.products.size(), split.train.pair_count());
  for (const std::uint32_t dimension : {64U, 128U}) {
    TrainOptions options = given;
    options.als.factors.dimension = dimension;
    VITRINE_ASSIGN_OR_RETURN(const TrainOutcome outcome,
                             train(split.train, options, {}, clock, {}));
    print_epochs(outcome, dimension);
    print_fold_in(outcome.model->factors());
    VITRINE_RETURN_IF_ERROR(print_quality(split, fmt::format("personal {}", dimension),
                                          factor_ranking(split.train, outcome.model)));
  }
  for (const char* name : {"popular", "product_knn", "own_orders"}) {
    VITRINE_ASSIGN_OR_RETURN(const RankFunction rank, baseline_ranking(name, split.train));
    VITRINE_RETURN_IF_ERROR(print_quality(split, name, rank));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace vitrine::training

int main(int argc, char** argv) {
  vitrine::training::TrainOptions options;
  if (argc > 2) options.als.factors.lambda = std::strtof(argv[2], nullptr);
  if (argc > 3) options.als.factors.alpha0 = std::strtof(argv[3], nullptr);
  const absl::Status status = vitrine::training::run(argc > 1 ? argv[1] : "", options);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", vitrine::message_of(status));
  return 1;
}
