// The product factors of one matrix factorization, and the vector of a user computed from what they
// did.
//
// Objective (implicit ALS, Rendle et al. 2022): sum over observed pairs of c (1 - u'v)^2 + alpha0 *
// sum over all pairs of (u'v)^2 + for each row reg(n) |row|^2, with reg(n) = lambda (n + alpha0 *
// rows of the other side)^nu and n the row's observed pairs. The factors are kept in the eigenbasis
// of their Gram matrix, V'V = diag(spectrum): inner products do not change by a rotation, and the
// part of a fold-in that is the same for everybody becomes a diagonal. Thread-safety: immutable;
// const methods may run at the same time from any thread, and do not allocate once warm.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/aligned_floats.h"

namespace vitrine {

struct FactorParameters {
  std::uint32_t dimension = 0;
  float alpha0 = 0.01F;   // weight of every pair's pull towards 0
  float lambda = 0.003F;  // strength of regularization
  float nu = 1;           // 0: the same for every row; 1: in proportion to the row's pairs
};

// InvalidArgument, naming the field, for a parameter out of range.
absl::Status validate(const FactorParameters& parameters);

// What is known of one user about one product.
struct Observation {
  const float* factors;  // stride() floats, 0 past dimension(): FactorModel::row_data(), or a
                         // vector made in its basis
  float confidence;      // c of the objective, above 0: ConfidenceRule::confidence()
};

class FactorModel {
 public:
  static constexpr std::uint32_t k_dimension_max = 4096;

  FactorModel() = default;  // no rows, dimension 0

  // Rotates `factors` (row-major, parameters.dimension floats a row) into the eigenbasis of their
  // Gram matrix. InvalidArgument: a size that does not fit, a parameter out of range, or a number
  // that is not finite.
  static absl::StatusOr<FactorModel> from_factors(const FactorParameters& parameters,
                                                  std::span<const float> factors);

  // Takes back what factors() and spectrum() gave; same errors.
  static absl::StatusOr<FactorModel> restore(const FactorParameters& parameters,
                                             std::span<const float> factors,
                                             std::span<const float> spectrum);

  std::size_t dimension() const { return parameters_.dimension; }
  std::size_t row_count() const { return row_count_; }
  // Floats from one row to the next: dimension() rounded up to 16; what lies between is 0. Rows are
  // 64-byte aligned.
  std::size_t stride() const { return stride_; }
  const FactorParameters& parameters() const { return parameters_; }
  // Diagonal of the Gram matrix, falling; dimension() numbers.
  std::span<const float> spectrum() const { return {spectrum_.data(), dimension()}; }

  const float* data() const { return factors_.data(); }
  // Precondition: row < row_count().
  const float* row_data(std::uint32_t row) const { return factors_.data() + row * stride_; }
  std::span<const float> row(std::uint32_t row) const { return {row_data(row), dimension()}; }

  // reg(n) of the objective, for a user with n observed products.
  float user_regularization(std::size_t observed) const;

  // The user vector that minimizes the objective with the products held still, by preconditioned
  // conjugate gradient to a relative residual of 1e-5. No observations give the zero vector.
  // Products that were observed twice are best given once, with their confidence summed.
  //
  // user  dimension() floats, written
  void fold_in(std::span<const Observation> observations, std::span<float> user) const;
  void fold_in(std::span<const std::uint32_t> rows, std::span<const float> confidences,
               std::span<float> user) const;

  // The slow twin that judges fold_in: Cholesky in double. Allocates.
  void fold_in_exact(std::span<const Observation> observations, std::span<float> user) const;

  // Inner product with a user vector of dimension() floats.
  float score(std::uint32_t row, std::span<const float> user) const;

 private:
  static absl::StatusOr<FactorModel> checked(const FactorParameters& parameters,
                                             std::span<const float> factors);

  FactorParameters parameters_;
  std::size_t row_count_ = 0;
  std::size_t stride_ = 0;
  AlignedFloats factors_;   // row_count_ * stride_
  AlignedFloats spectrum_;  // stride_, padded with 0
};

}  // namespace vitrine
