// A placement's answers as a ranking that can be judged beside the others.
//
// Thread-safe, as is the function it returns.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "server/rehearsal/rehearsal.h"
#include "training/evaluator.h"

namespace vitrine::rehearsal {

// Both outlive the ranking. Products the data set does not know take their places in the list and
// are left out of it. Lists end at Recommender::k_limit_max.
// Errors   NotFound: no such placement; InvalidArgument: it needs a product or a cart
absl::StatusOr<training::RankFunction> placement_ranking(const Rehearsal& rehearsal,
                                                         const training::Dataset& data,
                                                         std::string placement);

}  // namespace vitrine::rehearsal
