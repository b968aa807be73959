// Rankings that every model must be compared with, and the model's own.
//
// All keep a reference to the data set, which must outlive them. The functions they return are safe
// from many threads.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <span>
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

// Three steps from the user over the pairs, each product's share divided by its popularity to the
// power of beta (Paudel et al. 2017). A product passes its share on to `neighbors_max` others.
struct Rp3BetaOptions {
  double alpha = 1.0;  // of every step's probability
  double beta = 0.6;   // 0: popular products win, 1: none is preferred
  std::size_t neighbors_max = 100;
};
// InvalidArgument: alpha or beta not finite or below 0, or no neighbour.
absl::StatusOr<RankFunction> rp3beta_ranking(const Dataset& train, const Rp3BetaOptions& options);

// The closed-form linear autoencoder (Steck 2019) of the binary pairs. Takes 8 bytes for each pair
// of products while it is made and 4 afterwards, and time with their cube.
struct EaseOptions {
  float lambda = 250;  // ridge
  std::size_t products_max = 10'000;
};
// InvalidArgument: lambda not above 0, or more products than allowed. Internal: the inverse failed.
absl::StatusOr<RankFunction> ease_ranking(const Dataset& train, const EaseOptions& options);

// Folds the user's training pairs into the factors, as the server does.
RankFunction factor_ranking(const Dataset& train, std::shared_ptr<const TrainedModel> model);

// "popular", "own_orders", "product_knn", "rp3beta", "ease".
std::span<const std::string_view> baseline_names();

// One of baseline_names() with its default settings; InvalidArgument, naming the allowed ones, for
// any other, and the errors of the baseline.
absl::StatusOr<RankFunction> baseline_ranking(std::string_view name, const Dataset& train);

}  // namespace vitrine::training
