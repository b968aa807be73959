// The direct way: build the d x d system of a row from a panel of its columns, factor it, solve it.
//
// Costs n d^2 + d^3 / 3 a row. Exact, so it judges every faster solver. One solver belongs to one
// thread.
#pragma once

#include "training/row_solver.h"

namespace vitrine::training {

class PrimalSolver final : public RowSolver {
 public:
  void solve(const FixedSide& fixed, std::span<const std::uint32_t> columns,
             std::span<const float> confidences, float regularization, float* row) override;

 private:
  AlignedFloats panel_;
  AlignedFloats system_;
};

}  // namespace vitrine::training
