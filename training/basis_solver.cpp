#include "training/basis_solver.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/vector_kernels.h"
#include "training/row_kernels.h"

namespace vitrine::training {
namespace {

static_assert(RowSolver::k_rows_together == RowKernels::k_lanes);

// Of the dimension: where forming and factoring the dual costs as much as the d x d system.
constexpr double k_dual_share = 0.9;

void grow(AlignedFloats& floats, std::size_t size) {
  if (floats.size() < size) floats = AlignedFloats(size);
}

}  // namespace

BasisSolver::BasisSolver(const FixedSide& fixed, BasisRule rule)
    : fixed_(fixed), rule_(rule), y_(fixed.stride), scratch_(3 * fixed.stride) {
  for (Scale& scale : scales_) {
    scale.shrink.resize(fixed.stride);
    scale.stretch.resize(fixed.stride);
  }
}

void BasisSolver::solve(std::span<const std::uint32_t> rows, const MovingSide& moving) {
  const auto is_short = [&](std::uint32_t row) {
    return moving.observed.columns_of(row).size() <= rule_.lanes_max;
  };
  const auto first_short = std::find_if(rows.begin(), rows.end(), is_short);
  const auto long_count = static_cast<std::size_t>(first_short - rows.begin());
  for (const std::uint32_t row : rows.first(long_count)) {
    if (rule_.descends) {
      descend(row, moving);
    } else {
      solve_dense(row, moving);
    }
  }
  if (long_count < rows.size()) solve_in_lanes(rows.subspan(long_count), moving);
}

const BasisSolver::Scale& BasisSolver::scale_of(float regularization) {
  if (scales_[newest_scale_].regularization == regularization) return scales_[newest_scale_];
  newest_scale_ = (newest_scale_ + 1) % scales_.size();
  Scale& scale = scales_[newest_scale_];
  scale.regularization = regularization;
  for (std::size_t i = 0; i < fixed_.dimension; ++i) {
    scale.stretch[i] = std::sqrt(fixed_.spectrum[i] + regularization);
    scale.shrink[i] = 1 / scale.stretch[i];
  }
  return scale;
}

void BasisSolver::reserve(std::size_t row_count) {
  grow(z_, (row_count + RowKernels::k_row_padding) * fixed_.stride);
  grow(roots_, row_count);
}

void BasisSolver::gather(const MovingSide& moving, std::uint32_t row, const Scale& scale,
                         std::size_t first) {
  const auto columns = moving.observed.columns_of(row);
  const auto confidences = moving.observed.values_of(row);
  float* const roots = roots_.data() + first;
  for (std::size_t k = 0; k < columns.size(); ++k) roots[k] = std::sqrt(confidences[k]);
  row_kernels().gather(z_.data() + first * fixed_.stride, fixed_.factors.data(), columns.data(),
                       roots, columns.size(), scale.shrink.data(), fixed_.stride);
}

void BasisSolver::solve_in_lanes(std::span<const std::uint32_t> rows, const MovingSide& moving) {
  constexpr std::size_t k_lanes = RowKernels::k_lanes;
  const RowKernels& kernels = row_kernels();
  const std::size_t stride = fixed_.stride;
  std::size_t order = 0;
  std::array<std::size_t, k_lanes> counts = {};
  for (std::size_t lane = 0; lane < rows.size(); ++lane) {
    counts[lane] = moving.observed.columns_of(rows[lane]).size();
    order = std::max(order, counts[lane]);
  }
  // Lanes of shorter rows, and those left over, are filled up with the unit matrix.
  const std::size_t elements = order * (order + 1) / 2;
  reserve(k_lanes * order);
  grow(system_, elements * k_lanes);
  grow(unknowns_, order * k_lanes);
  std::fill_n(system_.begin(), elements * k_lanes, 0.0F);
  std::fill_n(unknowns_.begin(), order * k_lanes, 0.0F);

  std::array<const Scale*, k_lanes> scales = {};
  for (std::size_t lane = 0; lane < rows.size(); ++lane) {
    scales[lane] = &scale_of(moving.regularization[rows[lane]]);
    gather(moving, rows[lane], *scales[lane], lane * order);
    kernels.gram_lane(system_.data() + lane, z_.data() + lane * order * stride, counts[lane],
                      stride);
    for (std::size_t k = 0; k < counts[lane]; ++k)
      unknowns_[k * k_lanes + lane] = roots_[lane * order + k];
  }
  for (std::size_t i = 0; i < order; ++i) {
    float* const diagonal = system_.data() + (i * (i + 1) / 2 + i) * k_lanes;
    for (std::size_t lane = 0; lane < k_lanes; ++lane) diagonal[lane] += 1;
  }
  kernels.solve_lanes(system_.data(), unknowns_.data(), order);

  for (std::size_t lane = 0; lane < rows.size(); ++lane) {
    float* const weights = roots_.data() + lane * order;
    for (std::size_t k = 0; k < counts[lane]; ++k) weights[k] = unknowns_[k * k_lanes + lane];
    std::fill(y_.begin(), y_.end(), 0.0F);
    kernels.add_rows(y_.data(), z_.data() + lane * order * stride, weights, counts[lane], stride);
    float* const target = moving.factors.data() + rows[lane] * stride;
    for (std::size_t i = 0; i < stride; ++i) target[i] = y_[i] * scales[lane]->shrink[i];
  }
}

void BasisSolver::descend(std::uint32_t row, const MovingSide& moving) {
  const std::size_t count = moving.observed.columns_of(row).size();
  const Scale& scale = scale_of(moving.regularization[row]);
  reserve(count);
  gather(moving, row, scale, 0);
  float* const target = moving.factors.data() + row * fixed_.stride;
  for (std::size_t i = 0; i < fixed_.stride; ++i) y_[i] = target[i] * scale.stretch[i];
  row_kernels().conjugate_gradient(y_.data(), z_.data(), roots_.data(), count, fixed_.stride,
                                   k_descent_steps, scratch_.data());
  for (std::size_t i = 0; i < fixed_.stride; ++i) target[i] = y_[i] * scale.shrink[i];
}

void BasisSolver::solve_dense(std::uint32_t row, const MovingSide& moving) {
  const std::size_t count = moving.observed.columns_of(row).size();
  const Scale& scale = scale_of(moving.regularization[row]);
  reserve(count);
  gather(moving, row, scale, 0);
  std::fill(y_.begin(), y_.end(), 0.0F);
  if (static_cast<double>(count) < k_dual_share * static_cast<double>(fixed_.dimension)) {
    solve_dual(count);
  } else {
    solve_primal(count);
  }
  float* const target = moving.factors.data() + row * fixed_.stride;
  for (std::size_t i = 0; i < fixed_.stride; ++i) target[i] = y_[i] * scale.shrink[i];
}

void BasisSolver::solve_dual(std::size_t count) {
  const VectorKernels& kernels = vector_kernels();
  const std::size_t stride = fixed_.stride;
  const std::size_t width = padded_dimension(count);
  grow(columns_, stride * width);
  grow(system_, width * width);
  grow(unknowns_, width);
  std::fill_n(columns_.begin(), stride * width, 0.0F);
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < stride; ++i) columns_[i * width + k] = z_[k * stride + i];
  }
  std::fill_n(system_.begin(), width * width, 0.0F);
  for (std::size_t k = 0; k < count; ++k) system_[k * width + k] = 1;
  kernels.add_gram(system_.data(), columns_.data(), fixed_.dimension, width);
  std::fill_n(unknowns_.begin(), width, 0.0F);
  std::copy_n(roots_.begin(), count, unknowns_.begin());
  CHECK(kernels.cholesky(system_.data(), count, width), "a positive definite system");
  kernels.solve_cholesky(system_.data(), unknowns_.data(), count, width);
  row_kernels().add_rows(y_.data(), z_.data(), unknowns_.data(), count, stride);
}

void BasisSolver::solve_primal(std::size_t count) {
  const VectorKernels& kernels = vector_kernels();
  const std::size_t stride = fixed_.stride;
  grow(system_, stride * stride);
  std::fill_n(system_.begin(), stride * stride, 0.0F);
  for (std::size_t i = 0; i < fixed_.dimension; ++i) system_[i * stride + i] = 1;
  kernels.add_gram(system_.data(), z_.data(), count, stride);
  row_kernels().add_rows(y_.data(), z_.data(), roots_.data(), count, stride);
  CHECK(kernels.cholesky(system_.data(), fixed_.dimension, stride), "a positive definite system");
  kernels.solve_cholesky(system_.data(), y_.data(), fixed_.dimension, stride);
}

}  // namespace vitrine::training
