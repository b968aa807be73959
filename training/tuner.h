// Searches for the recipe that ranks best on a part of the data that it was not trained on.
//
// Successive halving (Jamieson and Talwalkar 2016): many recipes are drawn and trained for few
// epochs, the best third goes on with twice as many, until the last ones are trained to the end.
// A recipe counts with the epochs at which it ranked best.
// The same data, seed and budget give the same runs. What is judged on is cut from the data that is
// given: data kept for a test is never seen. Thread-safe; starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "training/bootstrap.h"
#include "training/interaction_list.h"
#include "training/recipe.h"
#include "training/split.h"

namespace vitrine::training {

struct TuneOptions {
  Recipe base;                // the first candidate, and what is not searched
  std::uint32_t budget = 39;  // training runs in all, at least 3
  std::uint64_t seed = 1;     // of the drawing
  std::uint32_t dimension_max = 128;
  std::size_t cutoff = 20;
  double validation_share = 0.1;  // of the interactions, the newest; in (0, 0.5]
};

// One recipe, trained and judged.
struct TuneRun {
  std::string key;         // arguments_of(recipe): the same run has the same key
  Recipe recipe;           // with the epochs of this run
  std::uint32_t rung = 0;  // 0: the widest
  Interval ndcg;
  double recall = 0;
  double seconds = 0;
};

// How the validation part was cut.
struct ValidationCut {
  bool is_by_time = false;  // otherwise one pair in ten, by chance, as there are no times
  TimeMs from_ms = 0;
  std::uint64_t users = 0;
};

struct TuneResult {
  ValidationCut cut;
  std::vector<TuneRun> runs;         // in the order in which they were made
  std::vector<TuneRun> leaderboard;  // each recipe once, with its best epochs; best first
};

struct TuneObserver {
  std::map<std::string, TuneRun> known;  // runs made before, by key: not made again
  // After each run, known or not.
  std::function<absl::Status(const TuneRun&, std::size_t done, std::size_t planned, bool is_known)>
      on_run;
  const std::atomic<bool>* cancel = nullptr;  // may be null
};

// Errors  InvalidArgument (options), FailedPrecondition (nothing to judge by), Cancelled
absl::StatusOr<TuneResult> tune(const InteractionList& interactions, const TuneOptions& options,
                                const TuneObserver& observer);

// Runs of each rung for a budget: {27, 9, 3} for 39.
std::vector<std::uint32_t> rungs_of(std::uint32_t budget);

}  // namespace vitrine::training
