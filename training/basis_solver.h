// Solves rows in the eigenbasis of the fixed side's Gram matrix, where the part of a row's system
// that all rows share is a diagonal, M = alpha0 L + reg.
//
// With Z = C^1/2 V M^-1/2 (n x d, the row's observed columns) and y = M^1/2 u the system is
// (I + Z'Z) y = Z' c^1/2. A row is solved in one of three ways:
//   lanes    the dual, (I + ZZ') s = c^1/2 and y = Z's, of 16 short rows at once, one a SIMD lane
//   dense    the dual of one row or, where n >= 0.9 d, its d x d system; both by Cholesky
//   descent  a few steps of conjugate gradients from the row's former value: nothing but passes
//            over Z, and the diagonal already divided out is all the preconditioner it needs
// The small systems' eigenvalues are 1 and more, so that single precision is safe. One solver
// belongs to one thread.
#pragma once

#include <array>

#include "training/row_solver.h"

namespace vitrine::training {

// Which rows are solved how, by the number n of their observed columns.
struct BasisRule {
  std::size_t lanes_max;  // in lanes up to this n
  bool descends;          // longer rows by descent, else dense
};

class BasisSolver final : public RowSolver {
 public:
  static constexpr std::size_t k_descent_steps = 3;

  // The fixed side's factors must be in their eigenbasis.
  BasisSolver(const FixedSide& fixed, BasisRule rule);

  void solve(std::span<const std::uint32_t> rows, const MovingSide& moving) override;

 private:
  // M^-1/2 and M^1/2 of rows of one regularization, 0 past the dimension.
  struct Scale {
    float regularization = 0;
    AlignedFloats shrink;
    AlignedFloats stretch;
  };

  // The last k_rows_together are kept: rows of one length have the same.
  const Scale& scale_of(float regularization);

  // Fills Z, and the roots of the confidences beside it, from row `first` on.
  void gather(const MovingSide& moving, std::uint32_t row, const Scale& scale, std::size_t first);
  // Room for this many rows of Z.
  void reserve(std::size_t row_count);

  void solve_in_lanes(std::span<const std::uint32_t> rows, const MovingSide& moving);
  void solve_dense(std::uint32_t row, const MovingSide& moving);
  void descend(std::uint32_t row, const MovingSide& moving);
  // Z being `count` rows, into y.
  void solve_dual(std::size_t count);
  void solve_primal(std::size_t count);

  const FixedSide& fixed_;
  const BasisRule rule_;
  std::array<Scale, k_rows_together> scales_;
  std::size_t newest_scale_ = 0;
  AlignedFloats z_;
  AlignedFloats roots_;
  AlignedFloats y_;
  AlignedFloats scratch_;
  AlignedFloats system_;
  AlignedFloats unknowns_;
  AlignedFloats columns_;  // Z'
};

}  // namespace vitrine::training
