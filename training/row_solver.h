// Solves one row of one side of the factorization while the other side stands still.
//
// Solvers differ in algebra, not in what they solve: (alpha0 G + reg I + sum of c v v') u = sum of
// c v over the row's observed columns. One solver belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "model/aligned_floats.h"

namespace vitrine::training {

// The side that stands still, the same for all rows of a half-epoch; read by every solver at once.
struct FixedSide {
  const AlignedFloats& factors;  // row-major
  const AlignedFloats& gram;     // alpha0 * V'V, upper triangle, stride x stride
  std::size_t dimension;
  std::size_t stride;
};

class RowSolver {
 public:
  virtual ~RowSolver() = default;

  // columns         rows of the fixed side that were observed, with their confidences beside them
  // regularization  reg of this row, above 0
  // row             stride floats, the former value on entry; 0 past the dimension on return
  virtual void solve(const FixedSide& fixed, std::span<const std::uint32_t> columns,
                     std::span<const float> confidences, float regularization, float* row) = 0;
};

}  // namespace vitrine::training
