#include "training/logistic.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr int k_steps_max = 30;
constexpr double k_gain_min = 1e-7;  // of the loss per example, or it has converged
constexpr double k_probability_min = 1e-9;

// Inputs of mean 0 and variance 1, so that one ridge fits all.
struct Scaling {
  Eigen::VectorXd mean;
  Eigen::VectorXd scale;  // 1 / standard deviation; 0 for a constant
};

Eigen::Map<const Eigen::VectorXf> row_of(const LogisticExamples& examples, std::size_t i) {
  return {examples.row(i).data(), static_cast<Eigen::Index>(examples.inputs)};
}

Scaling scaling_of(const LogisticExamples& examples) {
  const auto inputs = static_cast<Eigen::Index>(examples.inputs);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(inputs);
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(inputs);
  double weight = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const Eigen::VectorXd row = row_of(examples, i).cast<double>();
    sum += examples.weights[i] * row;
    squares += examples.weights[i] * row.cwiseAbs2();
    weight += examples.weights[i];
  }
  Scaling scaling;
  scaling.mean = sum / weight;
  const Eigen::VectorXd variance = squares / weight - scaling.mean.cwiseAbs2();
  scaling.scale = variance.unaryExpr([](double v) { return v > 1e-12 ? 1 / std::sqrt(v) : 0.0; });
  return scaling;
}

double log_one_plus_exp(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// Loss, gradient and Hessian at `beta`, whose last entry is the bias.
struct Curvature {
  double loss = 0;
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian;
};

Curvature curvature_at(const LogisticExamples& examples, const Scaling& scaling,
                       const Eigen::VectorXd& beta, double ridge) {
  const Eigen::Index inputs = scaling.mean.size();
  Curvature at;
  at.gradient = Eigen::VectorXd::Zero(inputs + 1);
  at.hessian = Eigen::MatrixXd::Zero(inputs + 1, inputs + 1);
  Eigen::VectorXd row(inputs + 1);
  row[inputs] = 1;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    row.head(inputs) =
        (row_of(examples, i).cast<double>() - scaling.mean).cwiseProduct(scaling.scale);
    const double logit = beta.dot(row);
    const double p = 1 / (1 + std::exp(-logit));
    const double weight = examples.weights[i];
    at.loss += weight * (log_one_plus_exp(logit) - (examples.labels[i] != 0 ? logit : 0));
    at.gradient += weight * (p - examples.labels[i]) * row;
    at.hessian.selfadjointView<Eigen::Lower>().rankUpdate(row, weight * p * (1 - p));
  }
  at.loss += 0.5 * ridge * beta.head(inputs).squaredNorm();
  at.gradient.head(inputs) += ridge * beta.head(inputs);
  at.hessian.diagonal().head(inputs).array() += ridge;
  at.hessian.diagonal().array() += 1e-9;
  return at;
}

}  // namespace

double LogisticModel::probability(std::span<const float> row) const {
  const double logit = std::inner_product(row.begin(), row.end(), weights.begin(), bias);
  return 1 / (1 + std::exp(-logit));
}

absl::StatusOr<LogisticModel> fit_logistic(const LogisticExamples& examples, double ridge) {
  if (examples.inputs == 0 || examples.values.size() != examples.size() * examples.inputs ||
      examples.weights.size() != examples.size()) {
    return invalid_argument("{} values and {} weights are not those of {} examples of {} inputs",
                            examples.values.size(), examples.weights.size(), examples.size(),
                            examples.inputs);
  }
  const auto ones = std::ranges::count(examples.labels, 1);
  if (ones == 0 || static_cast<std::size_t>(ones) == examples.size())
    return invalid_argument("{} of {} examples are ones: both kinds are needed", ones,
                            examples.size());

  const Scaling scaling = scaling_of(examples);
  const auto inputs = static_cast<Eigen::Index>(examples.inputs);
  const double weight = std::accumulate(examples.weights.begin(), examples.weights.end(), 0.0);
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(inputs + 1);
  Curvature at = curvature_at(examples, scaling, beta, ridge);
  for (int step = 0; step < k_steps_max; ++step) {
    Eigen::VectorXd move = at.hessian.selfadjointView<Eigen::Lower>().ldlt().solve(at.gradient);
    Curvature next = curvature_at(examples, scaling, beta - move, ridge);
    for (int halving = 0; halving < 10 && !(next.loss <= at.loss); ++halving) {
      move *= 0.5;
      next = curvature_at(examples, scaling, beta - move, ridge);
    }
    if (!(next.loss <= at.loss)) break;
    const double gain = at.loss - next.loss;
    beta -= move;
    at = std::move(next);
    if (gain < k_gain_min * weight) break;
  }

  LogisticModel model;
  const Eigen::VectorXd scaled = beta.head(inputs).cwiseProduct(scaling.scale);
  model.weights.assign(scaled.data(), scaled.data() + inputs);
  model.bias = beta[inputs] - scaled.dot(scaling.mean);
  return model;
}

Calibration calibration_of(const LogisticModel& model, const LogisticExamples& examples) {
  constexpr std::size_t k_bins = 10;
  Calibration calibration;
  if (examples.size() == 0) return calibration;
  std::vector<double> predicted(examples.size());
  double weight = 0;
  double ones = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    predicted[i] =
        std::clamp(model.probability(examples.row(i)), k_probability_min, 1 - k_probability_min);
    weight += examples.weights[i];
    ones += examples.weights[i] * examples.labels[i];
    calibration.log_loss -=
        examples.weights[i] * std::log(examples.labels[i] != 0 ? predicted[i] : 1 - predicted[i]);
  }
  const double share = std::clamp(ones / weight, k_probability_min, 1 - k_probability_min);
  calibration.log_loss /= weight;
  calibration.constant_log_loss = -share * std::log(share) - (1 - share) * std::log(1 - share);

  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return predicted[i]; });
  std::vector<double> bin_weight(k_bins);
  calibration.bins.resize(k_bins);
  double before = 0;
  for (const std::size_t i : order) {
    const auto bin = std::min(k_bins - 1, static_cast<std::size_t>(k_bins * before / weight));
    before += examples.weights[i];
    bin_weight[bin] += examples.weights[i];
    calibration.bins[bin].predicted += examples.weights[i] * predicted[i];
    calibration.bins[bin].observed += examples.weights[i] * examples.labels[i];
  }
  for (std::size_t bin = 0; bin < k_bins; ++bin) {
    if (bin_weight[bin] <= 0) continue;
    calibration.bins[bin].predicted /= bin_weight[bin];
    calibration.bins[bin].observed /= bin_weight[bin];
  }
  return calibration;
}

}  // namespace vitrine::training
