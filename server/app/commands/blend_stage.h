// The stage of `vitrine train` that learns how to weigh the sources.
//
// One thread.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <span>

#include "model/product.h"
#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "server/app/commands/training_input.h"
#include "server/rehearsal/blend_learning.h"

namespace vitrine::app {

// Says what it does and what came of it. Before the data set of the model itself is read: the two
// are not in memory at once.
absl::StatusOr<rehearsal::LearntBlends> learn_blends(const Invocation& invocation,
                                                     TrainingInput& input,
                                                     std::span<const Product> products,
                                                     const training::DatasetOptions& data,
                                                     const TrainingFlags& flags,
                                                     const std::atomic<bool>& cancel);

}  // namespace vitrine::app
