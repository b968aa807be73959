// The gate of `train --promote`: what stands between a new model and the shop.
//
// One thread.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "training/gate.h"

namespace vitrine::app {

class Gate {
 public:
  // Nothing when no model serves yet. DataLoss when the record of the one that does cannot be read.
  static absl::StatusOr<std::optional<Gate>> open(const Invocation& invocation,
                                                  const TrainingFlags& candidate);

  // Judges the recipes on the last week before `until`.
  absl::Status compare(const training::InteractionSource& source, TimeMs until,
                       const std::atomic<bool>& cancel, bool quiet);

  // Of the candidate's recipe on that week, for the model's record; empty when not compared.
  const std::map<std::string, double>& metrics() const { return recipes_.candidate; }

  // The whole verdict on the model that was fitted to everything.
  training::GateVerdict judge(const training::TrainOutcome& trained) const;

 private:
  Gate() = default;

  training::Recipe candidate_;
  training::Recipe current_;
  std::uint64_t current_products_ = 0;
  training::GateVerdict recipes_;
};

// What holds for a first model as well: every number finite, and an index that finds what it
// should.
training::GateVerdict check_first(const training::TrainOutcome& trained);

}  // namespace vitrine::app
