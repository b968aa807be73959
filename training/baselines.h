// Rankings that every model must be compared with, and the model's own.
//
// All keep a reference to the data set, which must outlive them. The functions they return are safe
// from many threads.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string_view>

#include "model/trained_model.h"
#include "training/evaluator.h"

namespace vitrine::training {

// The same for everybody: products by their number of training users.
RankFunction popular_ranking(const Dataset& train);

// What the user ordered most often comes first, then the popular ones: the baseline to beat where
// repeats are allowed.
RankFunction own_orders_ranking(const Dataset& train);

// Item-item cosine over binary pairs; a user's score is the sum over the products they have.
RankFunction product_knn_ranking(const Dataset& train);

// Folds the user's training pairs into the factors, as the server does.
RankFunction factor_ranking(const Dataset& train, std::shared_ptr<const TrainedModel> model);

// "popular", "own_orders", "product_knn"; InvalidArgument, naming the allowed ones, for any other.
absl::StatusOr<RankFunction> baseline_ranking(std::string_view name, const Dataset& train);

}  // namespace vitrine::training
