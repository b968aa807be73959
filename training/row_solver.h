// Solves rows of one side of the factorization while the other side stands still.
//
// Solvers differ in algebra, not in what they solve: (alpha0 G + reg I + sum of c v v') u = sum of
// c v over the row's observed columns. A solver is made for one half-epoch and keeps a reference to
// its fixed side; it belongs to one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/aligned_floats.h"
#include "training/dataset.h"

namespace vitrine::training {

// The side that stands still, the same for all rows of a half-epoch; read by every solver at once.
struct FixedSide {
  const AlignedFloats& factors;        // row-major
  const AlignedFloats& gram;           // alpha0 * V'V, upper triangle, stride x stride
  const std::vector<float>& spectrum;  // its diagonal when the factors are in its eigenbasis
  std::size_t dimension;
  std::size_t stride;
};

// The side whose rows are solved.
struct MovingSide {
  const SparseRows& observed;                // columns are rows of the fixed side
  const std::vector<float>& regularization;  // reg of each row, above 0
  AlignedFloats& factors;                    // `stride` floats a row, 0 past the dimension
};

class RowSolver {
 public:
  // Rows of about equal length that stand together are best solved together.
  static constexpr std::size_t k_rows_together = 16;

  virtual ~RowSolver() = default;

  // rows  at most k_rows_together; their former values may be where the solver starts from
  virtual void solve(std::span<const std::uint32_t> rows, const MovingSide& moving) = 0;
};

}  // namespace vitrine::training
