// What is expected of a person by linear inputs: a ridge for amounts, a logistic for yes and no.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::training {

enum class OutcomeKind : std::uint8_t { amount, yes_or_no };

struct OutcomeModel {
  OutcomeKind kind = OutcomeKind::amount;
  double bias = 0;
  std::vector<double> weights;  // by input

  double mean(std::span<const float> row) const;
};

struct OutcomeExamples {
  std::size_t inputs = 0;
  std::vector<float> values;    // examples x inputs
  std::vector<float> outcomes;  // 0 or 1 for yes_or_no

  std::size_t size() const { return outcomes.size(); }
  std::span<const float> row(std::size_t i) const { return {values.data() + i * inputs, inputs}; }
  void add(std::span<const float> row_values, float outcome);
};

// ridge  what a weight of 1 per standard deviation of its input costs, in examples
// Outcomes of yes_or_no that are all alike give their share, drawn half an example towards 1/2.
// InvalidArgument: no examples, sizes that do not belong together, or a number that is not finite.
absl::StatusOr<OutcomeModel> fit_outcome(const OutcomeExamples& examples, OutcomeKind kind,
                                         double ridge);

}  // namespace vitrine::training
