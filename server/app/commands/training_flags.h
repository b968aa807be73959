// The settings of a training run, as train and evaluate take them.
//
// A value; not thread-safe while it is being filled.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <string>

#include "training/train_job.h"

namespace CLI {
class App;
}

namespace vitrine::app {

struct TrainingFlags {
  training::TrainOptions options;
  double half_life_days = ConfidenceRule::defaults().half_life_days;
  std::string solver = "auto";
};

void add_training_flags(CLI::App& command, TrainingFlags& flags);

training::DatasetOptions dataset_options(const TrainingFlags& flags);

// Set by SIGINT while it lives: a training run that is asked to end leaves everything as it was.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt();
  ~CancelOnInterrupt();
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;
  const std::atomic<bool>& flag() const;
};

// Shows epochs and stages: a bar on a terminal, lines elsewhere, with `as_json` one JSON object an
// epoch on standard output.
class TrainingReport {
 public:
  explicit TrainingReport(bool as_json);
  ~TrainingReport();
  TrainingReport(const TrainingReport&) = delete;
  TrainingReport& operator=(const TrainingReport&) = delete;
  // Refers to the report, which must outlive it.
  training::TrainObserver observer(const std::atomic<bool>& cancel);

 private:
  void show(const training::EpochReport& epoch);

  bool as_json_;
  bool is_drawn_ = false;
  double seconds_ = 0;  // of the epochs so far
};

}  // namespace vitrine::app
