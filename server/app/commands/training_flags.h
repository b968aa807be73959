// The settings of a training run, as train and evaluate take them.
//
// A value; not thread-safe while it is being filled.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "training/recipe.h"
#include "training/train_job.h"

namespace CLI {
class App;
}

namespace vitrine::app {

struct TrainingFlags {
  training::TrainOptions options;
  double half_life_days = ConfidenceRule::defaults().half_life_days;
  std::vector<std::string> weights;  // "purchase=8": in place of the defaults, the others are 0
  std::uint64_t memory_limit = 0;    // bytes; 0: nine tenths of what is free
};

void add_training_flags(CLI::App& command, TrainingFlags& flags);

// wrong_use, naming the flag, for weights that cannot be.
absl::StatusOr<training::DatasetOptions> dataset_options(const TrainingFlags& flags);
absl::StatusOr<training::Recipe> recipe_of(const TrainingFlags& flags);

// What a run may take, in bytes; 0: no limit.
std::uint64_t memory_limit(const TrainingFlags& flags);

// ResourceExhausted, with the numbers, when a run of so many interactions, or with this data, does
// not fit.
absl::Status check_memory(const TrainingFlags& flags, std::uint64_t interactions);
absl::Status check_memory(const TrainingFlags& flags, const training::Dataset& data);

// Set by SIGINT and SIGTERM while it lives: a training run that is asked to end leaves everything
// as it was.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt();
  ~CancelOnInterrupt();
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;
  const std::atomic<bool>& flag() const;
};

// Shows epochs: a bar on a terminal, lines elsewhere, with `as_json` one JSON object an epoch on
// standard output. What comes after the epochs is shown in the same way, where it takes long: but
// for the bar, every ten seconds.
class TrainingReport {
 public:
  // `label` says which training it is, where there are several; may be empty.
  explicit TrainingReport(bool as_json, std::string label = "");
  ~TrainingReport();
  TrainingReport(const TrainingReport&) = delete;
  TrainingReport& operator=(const TrainingReport&) = delete;
  // Refers to the report, which must outlive it.
  training::TrainObserver observer(const std::atomic<bool>& cancel);

 private:
  void show(const training::EpochReport& epoch);
  void show(std::string_view stage, double share);

  bool as_json_;
  std::string label_;
  bool is_drawn_ = false;
  double seconds_ = 0;         // of the epochs so far
  std::uint32_t epochs_ = 0;   // so far; a resumed run begins in the middle
  std::int64_t stage_us_ = 0;  // when the stage began
  std::int64_t shown_us_ = 0;  // when it was shown, or began
};

}  // namespace vitrine::app
