// Ridge regression of many numbers on sparse features at once, by conjugate gradients.
//
// Thread-safe; starts its own threads. The answer does not depend on their number.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "training/dataset.h"

namespace vitrine::training {

struct RidgeProblem {
  SparseRows rows;  // features of each example, with values
  std::size_t column_count = 0;
  std::size_t dimension = 0;
  std::vector<float> targets;  // `dimension` floats an example
};

struct Ridge {
  std::vector<float> mean;     // of the targets, not shrunk
  std::vector<float> weights;  // `dimension` floats a feature
};

// The least of |targets - mean - rows * weights|^2 + lambda |weights|^2; to a relative residual of
// 1e-4 or 100 steps. Preconditions: at least one row, lambda > 0.
Ridge solve_ridge(const RidgeProblem& problem, double lambda, unsigned threads);

// What `ridge` says about the features of one row of `problem`, into `dimension` floats.
void predict(const Ridge& ridge, const RidgeProblem& problem, std::size_t row,
             std::span<float> out);

}  // namespace vitrine::training
