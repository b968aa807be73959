// Full-ranking evaluation of anything that can rank products for a user.
//
// Thread-safe; the ranking function is called from several threads at once.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "training/split.h"

namespace vitrine::training {

// Puts the best `k` products (numbers of the data set) for `user` into `ranked`, best first,
// without those of `excluded` (rising); fewer when there are no more. `ranked` is empty at the
// call.
using RankFunction =
    std::function<void(std::uint32_t user, std::size_t k, std::span<const std::uint32_t> excluded,
                       std::vector<std::uint32_t>& ranked)>;

// Puts a score for every product of the data set into `scores`; products that must not be shown get
// minus infinity.
using ScoreFunction = std::function<void(std::uint32_t user, std::span<float> scores)>;

// Ranks by falling score, ties by product number.
RankFunction ranking_by_score(ScoreFunction score, std::size_t product_count);

enum class Repeats {
  excluded,  // judged by Split::fresh; training pairs are not ranked
  allowed,   // judged by Split::repeats; everything is ranked
};

struct EvaluationOptions {
  std::vector<std::size_t> cutoffs{10, 20, 50};
  Repeats repeats = Repeats::excluded;
  unsigned threads = 0;  // 0: one a core
};

struct Evaluation {
  std::uint64_t users = 0;
  std::uint64_t pairs = 0;
  // Means over users, the same for every cutoff: "recall@20", "recall_min@20", "ndcg@20", "hr@20",
  // "mrr@20"; "popularity@20", the mean share of training users who have what was shown;
  // "novelty@20", the mean of -log2 of that share. And "coverage@20": the share of the training
  // products that were shown to anybody.
  std::map<std::string, double> metrics;
  double wall_seconds = 0;

  std::vector<std::uint32_t> user_numbers;            // of the training set, rising
  std::map<std::string, std::vector<float>> by_user;  // what the means were made of, beside them
};

// InvalidArgument: no cutoff, or one outside [1, 1000]. FailedPrecondition: nobody to judge by.
absl::StatusOr<Evaluation> evaluate(const Split& split, const RankFunction& rank,
                                    const EvaluationOptions& options);

// The users that training does not know, by their first products; options.repeats is not looked
// at. `rank` was made for cold_view(split), whose numbers of users it is given.
absl::StatusOr<Evaluation> evaluate_cold(const Split& split, const Dataset& view,
                                         const RankFunction& rank,
                                         const EvaluationOptions& options);

}  // namespace vitrine::training
