// Whether a new model may serve: nothing is promoted that is clearly worse than what serves now.
//
// The current model has learnt from the days a candidate would be judged on, so comparing the two
// models would favour the older one. Both recipes are therefore trained anew on what happened
// before the last week and compared, user by user, on that week; the model that is then published
// was fitted to everything. Thread-safe; starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "model/trained_model.h"
#include "training/bootstrap.h"
#include "training/interaction.h"
#include "training/recipe.h"
#include "training/train_job.h"

namespace vitrine::training {

// Goes through all interactions, each time in the same order.
using InteractionSource =
    std::function<absl::Status(const std::function<void(const Interaction&)>&)>;

struct GateOptions {
  TimeMs slice_ms = 7 * k_day_ms;  // the end of the data that is judged on
  std::size_t cutoff = 20;
  std::uint64_t users_min = 30;    // with fewer to judge by, chance decides: nothing is compared
  double coverage_kept_min = 0.5;  // of the current recipe's share of products shown
  double products_kept_min = 0.8;  // of the current model's products
};

struct GateVerdict {
  bool passed = false;
  std::string reason;  // a sentence for the operator, also when it passed
  std::uint64_t users = 0;
  std::optional<Interval> difference;       // of ndcg, candidate - current; nothing: not compared
  std::map<std::string, double> candidate;  // metrics on the slice; empty with too few users
  std::map<std::string, double> current;
};

// Refused when the whole interval of the difference is below 0, or when far fewer products are
// shown. Too few users to judge by, or the same recipe twice (then judged once), pass and say so.
//
// until   newest time that counts; the slice ends there
// Errors  those of the source, Cancelled
absl::StatusOr<GateVerdict> compare_recipes(const InteractionSource& source,
                                            const Recipe& candidate, const Recipe& current,
                                            TimeMs until, const GateOptions& options,
                                            const TrainObserver& observer);

// What a model must be whatever it is compared with: a finite objective in every epoch, and
// not far fewer products than the model that serves now (0: none does).
GateVerdict check_model(const TrainOutcome& trained, std::uint64_t current_products,
                        const GateOptions& options);

}  // namespace vitrine::training
