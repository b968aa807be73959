// Logistic regression with a ridge, by Newton's method.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::training {

struct LogisticExamples {
  std::size_t inputs = 0;
  std::vector<float> values;         // examples x inputs
  std::vector<std::uint8_t> labels;  // 0 or 1
  std::vector<float> weights;        // how many times each counts; above 0

  std::size_t size() const { return labels.size(); }
  std::span<const float> row(std::size_t i) const { return {values.data() + i * inputs, inputs}; }
};

struct LogisticModel {
  double bias = 0;
  std::vector<double> weights;  // by input; 0 for one that is the same in all examples

  double probability(std::span<const float> row) const;
};

// How well probabilities hold on examples the model has not seen.
struct Calibration {
  struct Bin {
    double predicted = 0;  // mean
    double observed = 0;
  };
  double log_loss = 0;           // mean, in nats
  double constant_log_loss = 0;  // of the share of ones, the same for all
  std::vector<Bin> bins;         // tenths of the examples' weight, by rising prediction
};

// ridge  what a weight of 1 per standard deviation of its input costs, in examples
// Errors InvalidArgument: sizes that do not belong together, or labels all alike
absl::StatusOr<LogisticModel> fit_logistic(const LogisticExamples& examples, double ridge);

Calibration calibration_of(const LogisticModel& model, const LogisticExamples& examples);

}  // namespace vitrine::training
