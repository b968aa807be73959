#include "training/uplift/choice_model.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace vitrine::training {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int k_steps_max = 20;
constexpr int k_halvings_max = 10;
constexpr double k_gain_min = 1e-5;

struct Scaled {
  RowMatrix rows;  // candidates x inputs, of mean 0 and variance 1 over all choices
  Eigen::Index taken = 0;
};

// 1 / standard deviation of each input over all candidates of all choices, 0 for a constant.
Eigen::VectorXd scale_of(std::span<const Choice> choices, Eigen::Index inputs,
                         Eigen::VectorXd& mean) {
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(inputs);
  mean = Eigen::VectorXd::Zero(inputs);
  double count = 0;
  for (const Choice& choice : choices) {
    for (std::size_t at = 0; at < choice.values.size(); at += static_cast<std::size_t>(inputs)) {
      const Eigen::VectorXd row =
          Eigen::Map<const Eigen::VectorXf>(choice.values.data() + at, inputs).cast<double>();
      mean += row;
      squares += row.cwiseAbs2();
      ++count;
    }
  }
  mean /= count;
  const Eigen::VectorXd variance = squares / count - mean.cwiseAbs2();
  return variance.unaryExpr([](double v) { return v > 1e-9 ? 1 / std::sqrt(v) : 0.0; });
}

struct Curvature {
  double loss = 0;
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian;
};

Curvature curvature_at(std::span<const Scaled> choices, const Eigen::VectorXd& beta, double ridge) {
  Curvature at;
  at.loss = 0.5 * ridge * beta.squaredNorm();
  at.gradient = ridge * beta;
  at.hessian = ridge * Eigen::MatrixXd::Identity(beta.size(), beta.size());
  for (const Scaled& choice : choices) {
    Eigen::VectorXd chance = choice.rows * beta;
    const double taken = chance[choice.taken];
    const double most = chance.maxCoeff();
    chance = (chance.array() - most).exp();
    const double sum = chance.sum();
    at.loss += most + std::log(sum) - taken;
    chance /= sum;
    const Eigen::VectorXd mean = choice.rows.transpose() * chance;
    at.gradient += mean - choice.rows.row(choice.taken).transpose();
    at.hessian += choice.rows.transpose() * chance.asDiagonal() * choice.rows;
    at.hessian -= mean * mean.transpose();
  }
  return at;
}

}  // namespace

double ChoiceModel::score(std::span<const float> row) const {
  return std::inner_product(row.begin(), row.end(), weights.begin(), 0.0);
}

std::vector<double> ChoiceModel::chances(std::span<const float> values) const {
  std::vector<double> chances;
  for (std::size_t at = 0; at < values.size(); at += weights.size())
    chances.push_back(score(values.subspan(at, weights.size())));
  if (chances.empty()) return chances;
  const double most = *std::ranges::max_element(chances);
  double sum = 0;
  for (double& chance : chances) sum += chance = std::exp(chance - most);
  for (double& chance : chances) chance /= sum;
  return chances;
}

ChoiceModel fit_choices(std::span<const Choice> choices, std::size_t inputs, double ridge) {
  ChoiceModel model;
  model.weights.assign(inputs, 0);
  if (choices.empty()) return model;
  const auto width = static_cast<Eigen::Index>(inputs);
  Eigen::VectorXd mean;
  const Eigen::VectorXd scale = scale_of(choices, width, mean);
  std::vector<Scaled> scaled;
  for (const Choice& choice : choices) {
    const auto rows = static_cast<Eigen::Index>(choice.values.size() / inputs);
    using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    RowMatrix values = Eigen::Map<const Floats>(choice.values.data(), rows, width).cast<double>();
    values.rowwise() -= mean.transpose();
    values = values * scale.asDiagonal();
    scaled.push_back({std::move(values), static_cast<Eigen::Index>(choice.taken)});
  }
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(width);
  Curvature at = curvature_at(scaled, beta, ridge);
  for (int step = 0; step < k_steps_max; ++step) {
    Eigen::VectorXd move = at.hessian.ldlt().solve(at.gradient);
    Curvature next = curvature_at(scaled, beta - move, ridge);
    for (int halving = 0; halving < k_halvings_max && !(next.loss <= at.loss); ++halving) {
      move *= 0.5;
      next = curvature_at(scaled, beta - move, ridge);
    }
    if (!(next.loss <= at.loss)) break;
    const double gain = at.loss - next.loss;
    beta -= move;
    at = std::move(next);
    if (gain < k_gain_min) break;
  }
  const Eigen::VectorXd unscaled = beta.cwiseProduct(scale);
  model.weights.assign(unscaled.data(), unscaled.data() + width);
  return model;
}

}  // namespace vitrine::training
