#include "training/ridge.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "training/parallel.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_lanes = 16;  // numbers of the target that one piece of work solves for
constexpr int k_steps_max = 100;
constexpr double k_residual = 1e-4;

using Lanes = std::array<float, k_lanes>;
using Sums = std::array<double, k_lanes>;
using Block = std::vector<Lanes>;  // a row of lanes for each feature

// Solves (X'X + lambda) W = X'(Y - mean) for the lanes from `first` on.
class LaneSolver {
 public:
  LaneSolver(const RidgeProblem& problem, std::span<const float> mean,
             std::span<const double> diagonal, double lambda, std::size_t first)
      : problem_(problem),
        mean_(mean),
        diagonal_(diagonal),
        lambda_(static_cast<float>(lambda)),
        first_(first),
        count_(std::min(k_lanes, problem.dimension - first)) {}

  void solve(std::vector<float>& weights) {
    const std::size_t columns = problem_.column_count;
    Block solution(columns);
    Block residual = right_side();
    Block direction(columns);
    const Sums start = products(residual, residual);
    Sums rho{};
    for (int step = 0; step < k_steps_max; ++step) {
      const Sums next = preconditioned_products(residual);
      for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t k = 0; k < k_lanes; ++k) {
          const auto beta = static_cast<float>(rho[k] > 0 ? next[k] / rho[k] : 0);
          direction[c][k] =
              residual[c][k] / static_cast<float>(diagonal_[c]) + beta * direction[c][k];
        }
      }
      rho = next;
      const Block image = apply(direction);
      const Sums curvature = products(direction, image);
      for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t k = 0; k < k_lanes; ++k) {
          const auto alpha = static_cast<float>(curvature[k] > 0 ? rho[k] / curvature[k] : 0);
          solution[c][k] += alpha * direction[c][k];
          residual[c][k] -= alpha * image[c][k];
        }
      }
      const Sums left = products(residual, residual);
      bool is_done = true;
      for (std::size_t k = 0; k < k_lanes; ++k)
        is_done = is_done && left[k] <= k_residual * k_residual * start[k];
      if (is_done) break;
    }
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t k = 0; k < count_; ++k)
        weights[c * problem_.dimension + first_ + k] = solution[c][k];
    }
  }

 private:
  Block right_side() const {
    Block result(problem_.column_count);
    for (std::size_t row = 0; row < problem_.rows.row_count(); ++row) {
      Lanes target{};
      for (std::size_t k = 0; k < count_; ++k) {
        target[k] = problem_.targets[row * problem_.dimension + first_ + k] - mean_[first_ + k];
      }
      scatter(row, target, result);
    }
    return result;
  }

  Block apply(const Block& block) const {
    Block result(problem_.column_count);
    for (std::size_t row = 0; row < problem_.rows.row_count(); ++row) {
      Lanes sum{};
      const auto columns = problem_.rows.columns_of(row);
      const auto values = problem_.rows.values_of(row);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        for (std::size_t k = 0; k < k_lanes; ++k) sum[k] += values[i] * block[columns[i]][k];
      }
      scatter(row, sum, result);
    }
    for (std::size_t c = 0; c < result.size(); ++c) {
      for (std::size_t k = 0; k < k_lanes; ++k) result[c][k] += lambda_ * block[c][k];
    }
    return result;
  }

  void scatter(std::size_t row, const Lanes& lanes, Block& into) const {
    const auto columns = problem_.rows.columns_of(row);
    const auto values = problem_.rows.values_of(row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (std::size_t k = 0; k < k_lanes; ++k) into[columns[i]][k] += values[i] * lanes[k];
    }
  }

  static Sums products(const Block& a, const Block& b) {
    Sums sums{};
    for (std::size_t c = 0; c < a.size(); ++c) {
      for (std::size_t k = 0; k < k_lanes; ++k)
        sums[k] += static_cast<double>(a[c][k]) * static_cast<double>(b[c][k]);
    }
    return sums;
  }

  Sums preconditioned_products(const Block& residual) const {
    Sums sums{};
    for (std::size_t c = 0; c < residual.size(); ++c) {
      for (std::size_t k = 0; k < k_lanes; ++k) {
        const auto value = static_cast<double>(residual[c][k]);
        sums[k] += value * value / diagonal_[c];
      }
    }
    return sums;
  }

  const RidgeProblem& problem_;
  std::span<const float> mean_;
  std::span<const double> diagonal_;  // of X'X + lambda, the preconditioner
  float lambda_;
  std::size_t first_;
  std::size_t count_;
};

std::vector<float> mean_of_targets(const RidgeProblem& problem) {
  std::vector<double> sums(problem.dimension);
  for (std::size_t i = 0; i < problem.targets.size(); ++i)
    sums[i % problem.dimension] += static_cast<double>(problem.targets[i]);
  std::vector<float> mean(problem.dimension);
  for (std::size_t i = 0; i < mean.size(); ++i)
    mean[i] = static_cast<float>(sums[i] / static_cast<double>(problem.rows.row_count()));
  return mean;
}

}  // namespace

Ridge solve_ridge(const RidgeProblem& problem, double lambda, unsigned threads) {
  Ridge ridge;
  ridge.mean = mean_of_targets(problem);
  ridge.weights.resize(problem.column_count * problem.dimension);
  std::vector<double> diagonal(problem.column_count, lambda);
  for (std::size_t i = 0; i < problem.rows.columns.size(); ++i) {
    const auto value = static_cast<double>(problem.rows.values[i]);
    diagonal[problem.rows.columns[i]] += value * value;
  }
  for_each_piece((problem.dimension + k_lanes - 1) / k_lanes, threads, [&](std::size_t piece) {
    LaneSolver(problem, ridge.mean, diagonal, lambda, piece * k_lanes).solve(ridge.weights);
  });
  return ridge;
}

void predict(const Ridge& ridge, const RidgeProblem& problem, std::size_t row,
             std::span<float> out) {
  std::copy(ridge.mean.begin(), ridge.mean.end(), out.begin());
  const auto columns = problem.rows.columns_of(row);
  const auto values = problem.rows.values_of(row);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const float* weights = ridge.weights.data() + columns[i] * problem.dimension;
    for (std::size_t k = 0; k < problem.dimension; ++k) out[k] += values[i] * weights[k];
  }
}

}  // namespace vitrine::training
