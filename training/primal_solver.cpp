#include "training/primal_solver.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/vector_kernels.h"

namespace vitrine::training {
namespace {
constexpr std::size_t k_panel_rows = 128;  // 32 KiB at d = 64: stays in the first-level cache
}  // namespace

void PrimalSolver::solve(std::span<const std::uint32_t> rows, const MovingSide& moving) {
  for (const std::uint32_t row : rows) {
    solve_row(moving.observed.columns_of(row), moving.observed.values_of(row),
              moving.regularization[row], moving.factors.data() + row * fixed_.stride);
  }
}

void PrimalSolver::solve_row(std::span<const std::uint32_t> columns,
                             std::span<const float> confidences, float regularization, float* row) {
  const VectorKernels& kernels = vector_kernels();
  const std::size_t stride = fixed_.stride;
  panel_.resize(k_panel_rows * stride);
  system_ = fixed_.gram;
  for (std::size_t i = 0; i < fixed_.dimension; ++i) system_[i * stride + i] += regularization;
  std::fill_n(row, stride, 0.0F);
  for (std::size_t first = 0; first < columns.size(); first += k_panel_rows) {
    const std::size_t count = std::min(k_panel_rows, columns.size() - first);
    for (std::size_t k = 0; k < count; ++k) {
      const float* factors = fixed_.factors.data() + columns[first + k] * stride;
      const float root = std::sqrt(confidences[first + k]);
      float* target = panel_.data() + k * stride;
      for (std::size_t i = 0; i < stride; ++i) target[i] = root * factors[i];
      kernels.add_scaled(row, target, root, stride);
    }
    kernels.add_gram(system_.data(), panel_.data(), count, stride);
  }
  CHECK(kernels.cholesky(system_.data(), fixed_.dimension, stride), "a positive definite system");
  kernels.solve_cholesky(system_.data(), row, fixed_.dimension, stride);
}

}  // namespace vitrine::training
