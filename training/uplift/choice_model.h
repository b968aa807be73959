// Which one of several things somebody takes: a conditional logit.
//
// Each choice has its own candidates, and the chance of a candidate is exp(w x) over their sum
// (McFadden 1974): what all candidates of a choice share drops out. Thread-safe (pure functions).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vitrine::training {

struct Choice {
  std::vector<float> values;  // candidates x inputs
  std::size_t taken = 0;      // the candidate that was taken
};

struct ChoiceModel {
  std::vector<double> weights;  // by input; 0 for one that is the same everywhere

  // Larger is more likely among the candidates of one choice.
  double score(std::span<const float> row) const;
  // Of the candidates of one choice; `values` is candidates x inputs.
  std::vector<double> chances(std::span<const float> values) const;
};

// Newton's method on what made the choices likely. No choices give weights of 0, all candidates
// alike.
//
// ridge  what a weight of 1 per standard deviation of its input costs, in choices; above 0
ChoiceModel fit_choices(std::span<const Choice> choices, std::size_t inputs, double ridge);

}  // namespace vitrine::training
