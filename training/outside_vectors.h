// A model whose vectors were learnt elsewhere, by a two-tower network or another engine, made ready
// to be served here.
//
// Thread-safe; starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/trained_model.h"
#include "training/dataset.h"
#include "training/train_job.h"

namespace vitrine::training {

// Neighbours come from the vectors, what is bought together and popularity from `data`, which may
// be null: then the first is empty and all products are equally popular.
//
// products    distinct ids, one a row
// vectors     row-major, options.als.factors.dimension floats a row; the other factors of the
//             options say how strongly a user's vector is pulled to what they did
// Errors      InvalidArgument: sizes that do not fit, an id twice, or a number that is not finite
absl::StatusOr<std::shared_ptr<const TrainedModel>> model_of_vectors(
    const std::vector<std::string>& products, std::span<const float> vectors,
    const TrainOptions& options, const Dataset* data, const DataSource& source, const Clock& clock);

}  // namespace vitrine::training
