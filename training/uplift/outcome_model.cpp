#include "training/uplift/outcome_model.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/status.h"
#include "training/logistic.h"

namespace vitrine::training {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

absl::Status check(const OutcomeExamples& examples) {
  if (examples.size() == 0 || examples.values.size() != examples.size() * examples.inputs) {
    return invalid_argument("{} values are not those of {} examples of {} inputs",
                            examples.values.size(), examples.size(), examples.inputs);
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(examples.values, is_finite) ||
      !std::ranges::all_of(examples.outcomes, is_finite))
    return invalid_argument("inputs and outcomes must be finite");
  return absl::OkStatus();
}

OutcomeModel fit_amount(const OutcomeExamples& examples, double ridge) {
  const auto rows = static_cast<Eigen::Index>(examples.size());
  const auto inputs = static_cast<Eigen::Index>(examples.inputs);
  const Eigen::MatrixXd x =
      Eigen::Map<const RowMatrix>(examples.values.data(), rows, inputs).cast<double>();
  const Eigen::VectorXd y =
      Eigen::Map<const Eigen::VectorXf>(examples.outcomes.data(), rows).cast<double>();
  const Eigen::RowVectorXd mean = x.colwise().mean();
  const Eigen::MatrixXd centred = x.rowwise() - mean;
  Eigen::MatrixXd gram = centred.transpose() * centred;
  // The ridge is per standard deviation: variance x ridge; a constant input gets no weight.
  const Eigen::VectorXd variance = gram.diagonal() / static_cast<double>(rows);
  for (Eigen::Index i = 0; i < inputs; ++i)
    gram(i, i) += variance[i] > 1e-12 ? ridge * variance[i] + 1e-12 : 1;
  const double mean_outcome = y.mean();
  const Eigen::VectorXd weights =
      gram.ldlt().solve(centred.transpose() * (y.array() - mean_outcome).matrix());
  OutcomeModel model;
  model.weights.assign(weights.data(), weights.data() + inputs);
  model.bias = mean_outcome - mean.dot(weights);
  return model;
}

absl::StatusOr<OutcomeModel> fit_yes_or_no(const OutcomeExamples& examples, double ridge) {
  LogisticExamples logistic;
  logistic.inputs = examples.inputs;
  for (const float outcome : examples.outcomes) {
    if (outcome != 0 && outcome != 1)
      return invalid_argument("an outcome of yes or no must be 0 or 1, got {}", outcome);
    logistic.labels.push_back(outcome != 0 ? 1 : 0);
  }
  OutcomeModel model;
  model.kind = OutcomeKind::yes_or_no;
  const auto ones = static_cast<double>(std::ranges::count(logistic.labels, 1));
  const auto all = static_cast<double>(examples.size());
  if (ones == 0 || ones == all || examples.inputs == 0) {
    model.bias = std::log((ones + 0.5) / (all - ones + 0.5));
    model.weights.assign(examples.inputs, 0);
    return model;
  }
  logistic.values = examples.values;
  logistic.weights.assign(examples.size(), 1);
  VITRINE_ASSIGN_OR_RETURN(LogisticModel fitted, fit_logistic(logistic, ridge));
  model.bias = fitted.bias;
  model.weights = std::move(fitted.weights);
  return model;
}

}  // namespace

double OutcomeModel::mean(std::span<const float> row) const {
  const double sum = std::inner_product(row.begin(), row.end(), weights.begin(), bias);
  return kind == OutcomeKind::amount ? sum : 1 / (1 + std::exp(-sum));
}

void OutcomeExamples::add(std::span<const float> row_values, float outcome) {
  values.insert(values.end(), row_values.begin(), row_values.end());
  outcomes.push_back(outcome);
}

absl::StatusOr<OutcomeModel> fit_outcome(const OutcomeExamples& examples, OutcomeKind kind,
                                         double ridge) {
  VITRINE_RETURN_IF_ERROR(check(examples));
  if (!(ridge >= 0)) return invalid_argument("ridge must be at least 0, got {}", ridge);
  if (kind == OutcomeKind::yes_or_no) return fit_yes_or_no(examples, ridge);
  return fit_amount(examples, ridge);
}

}  // namespace vitrine::training
