// The direct way: build the d x d system of a row from a panel of its columns, factor it, solve it.
//
// Costs n d^2 + d^3 / 3 a row, needs no eigenbasis. Exact, so it judges every faster solver. One
// solver belongs to one thread.
#pragma once

#include "training/row_solver.h"

namespace vitrine::training {

class PrimalSolver final : public RowSolver {
 public:
  explicit PrimalSolver(const FixedSide& fixed) : fixed_(fixed) {}

  void solve(std::span<const std::uint32_t> rows, const MovingSide& moving) override;

 private:
  void solve_row(std::span<const std::uint32_t> columns, std::span<const float> confidences,
                 float regularization, float* row);

  const FixedSide& fixed_;
  AlignedFloats panel_;
  AlignedFloats system_;
};

}  // namespace vitrine::training
