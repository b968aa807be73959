// vitrine evaluate --placement: what a whole placement is worth, with every stage of the server.
//
// One thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "server/app/report/evaluation_report.h"

namespace vitrine::app {

struct PlacementEvaluation {
  std::string placement;     // empty: nothing of this is asked for
  std::string interactions;  // a file in place of the log
  std::string products;      // a file in place of the catalog
  std::string split;         // TIME, required
  bool by_category = false;  // a product stands for its category path
  bool learns_blend = true;
  std::vector<std::size_t> cutoffs;
};

// Trains, and learns the blend, on what happened before the split; then asks the placement for
// every person as of the split, and judges by what they bought afterwards.
absl::StatusOr<EvaluationReport> evaluate_placement(const PlacementEvaluation& asked,
                                                    const TrainingFlags& training,
                                                    const Invocation& invocation);

}  // namespace vitrine::app
