#include "training/uplift/uplift_learner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/random.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

absl::Status check(const UpliftExamples& people, const UpliftOptions& options) {
  if (options.folds < 2 || options.folds > UpliftOptions::k_folds_max) {
    return invalid_argument("folds must be from 2 to {}, got {}", UpliftOptions::k_folds_max,
                            options.folds);
  }
  if (!(options.ridge >= 0) || !(options.effect_ridge >= 0)) {
    return invalid_argument("ridges must be at least 0, got {} and {}", options.ridge,
                            options.effect_ridge);
  }
  if (people.values.size() != people.size() * people.inputs ||
      people.outcomes.size() != people.size() || people.treated_shares.size() != people.size()) {
    return invalid_argument("{} values, {} outcomes and {} shares are not those of {} people",
                            people.values.size(), people.outcomes.size(),
                            people.treated_shares.size(), people.size());
  }
  for (const float share : people.treated_shares) {
    if (!(share > 0 && share < 1))
      return invalid_argument("a treated share must be between 0 and 1, got {}", share);
  }
  return absl::OkStatus();
}

// Both groups' models, from the people for whom `is_taken`.
struct GroupModels {
  OutcomeModel offered;
  OutcomeModel withheld;
};

template <class IsTaken>
absl::StatusOr<GroupModels> fit_groups(const UpliftExamples& people, const UpliftOptions& options,
                                       const IsTaken& is_taken) {
  OutcomeExamples groups[2];
  for (OutcomeExamples& group : groups) group.inputs = people.inputs;
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (is_taken(i)) groups[people.treated[i] != 0 ? 1 : 0].add(people.row(i), people.outcomes[i]);
  }
  if (groups[0].size() == 0 || groups[1].size() == 0) {
    return invalid_argument("{} people with the offer and {} without it are too few",
                            groups[1].size(), groups[0].size());
  }
  GroupModels models;
  VITRINE_ASSIGN_OR_RETURN(models.offered, fit_outcome(groups[1], options.outcome, options.ridge));
  VITRINE_ASSIGN_OR_RETURN(models.withheld, fit_outcome(groups[0], options.outcome, options.ridge));
  return models;
}

Estimate mean_of(std::span<const double> values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  if (values.size() < 2) return {mean, 0};
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean) / (count - 1))};
}

// The difference of the groups' means, each person weighted by 1 / the share of its group.
Estimate weighted_difference(const UpliftExamples& people) {
  double weights[2] = {};
  double sums[2] = {};
  for (std::size_t i = 0; i < people.size(); ++i) {
    const int group = people.treated[i] != 0 ? 1 : 0;
    const double share = people.treated_shares[i];
    const double weight = 1 / (group == 1 ? share : 1 - share);
    weights[group] += weight;
    sums[group] += weight * people.outcomes[i];
  }
  const double means[2] = {sums[0] / weights[0], sums[1] / weights[1]};
  double variance = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const int group = people.treated[i] != 0 ? 1 : 0;
    const double share = people.treated_shares[i];
    const double weight = 1 / (group == 1 ? share : 1 - share) / weights[group];
    const double rest = people.outcomes[i] - means[group];
    variance += weight * weight * rest * rest;
  }
  return {means[1] - means[0], std::sqrt(variance)};
}

absl::StatusOr<UpliftModel> fit_s(const UpliftExamples& people, const UpliftOptions& options) {
  OutcomeExamples all;
  all.inputs = 2 * people.inputs + 1;
  std::vector<float> row(all.inputs);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const float treated = people.treated[i] != 0 ? 1.0F : 0.0F;
    const std::span<const float> x = people.row(i);
    for (std::size_t k = 0; k < people.inputs; ++k) {
      row[k] = x[k];
      row[people.inputs + k] = treated * x[k];
    }
    row.back() = treated;
    all.add(row, people.outcomes[i]);
  }
  VITRINE_ASSIGN_OR_RETURN(const OutcomeModel both,
                           fit_outcome(all, options.outcome, options.ridge));
  UpliftModel model;
  model.method = UpliftMethod::s;
  const auto middle = both.weights.begin() + static_cast<std::ptrdiff_t>(people.inputs);
  model.withheld = {both.kind, both.bias, {both.weights.begin(), middle}};
  model.offered = model.withheld;
  model.offered.bias += both.weights.back();
  for (std::size_t k = 0; k < people.inputs; ++k)
    model.offered.weights[k] += both.weights[people.inputs + k];
  return model;
}

absl::StatusOr<UpliftModel> fit_x(const UpliftExamples& people, const UpliftOptions& options) {
  VITRINE_ASSIGN_OR_RETURN(const GroupModels groups,
                           fit_groups(people, options, [](std::size_t) { return true; }));
  OutcomeExamples effects[2];
  for (OutcomeExamples& group : effects) group.inputs = people.inputs;
  double share = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::span<const float> x = people.row(i);
    const double effect = people.treated[i] != 0 ? people.outcomes[i] - groups.withheld.mean(x)
                                                 : groups.offered.mean(x) - people.outcomes[i];
    effects[people.treated[i] != 0 ? 1 : 0].add(x, static_cast<float>(effect));
    share += people.treated_shares[i] / static_cast<double>(people.size());
  }
  OutcomeModel tau[2];
  for (int group = 0; group < 2; ++group) {
    VITRINE_ASSIGN_OR_RETURN(
        tau[group], fit_outcome(effects[group], OutcomeKind::amount, options.effect_ridge));
  }
  UpliftModel model;
  model.method = UpliftMethod::x;
  model.direct.bias = share * tau[0].bias + (1 - share) * tau[1].bias;
  for (std::size_t k = 0; k < people.inputs; ++k)
    model.direct.weights.push_back(share * tau[0].weights[k] + (1 - share) * tau[1].weights[k]);
  return model;
}

// Folds of equal size within each group, by chance.
std::vector<std::uint32_t> folds_of(const UpliftExamples& people, const UpliftOptions& options) {
  std::vector<std::uint32_t> order(people.size());
  std::iota(order.begin(), order.end(), 0U);
  Random random(options.seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<std::uint32_t> folds(people.size());
  std::uint32_t next[2] = {};
  for (const std::uint32_t person : order)
    folds[person] = next[people.treated[person] != 0 ? 1 : 0]++ % options.folds;
  return folds;
}

absl::StatusOr<UpliftFit> fit_dr(const UpliftExamples& people, const UpliftOptions& options) {
  const std::vector<std::uint32_t> folds = folds_of(people, options);
  std::vector<double> phi(people.size());
  for (std::uint32_t fold = 0; fold < options.folds; ++fold) {
    const auto is_other = [&](std::size_t i) { return folds[i] != fold; };
    VITRINE_ASSIGN_OR_RETURN(const GroupModels groups, fit_groups(people, options, is_other));
    for (std::size_t i = 0; i < people.size(); ++i) {
      if (folds[i] != fold) continue;
      const double with = groups.offered.mean(people.row(i));
      const double without = groups.withheld.mean(people.row(i));
      const double share = people.treated_shares[i];
      phi[i] = with - without +
               (people.treated[i] != 0 ? (people.outcomes[i] - with) / share
                                       : -(people.outcomes[i] - without) / (1 - share));
    }
  }
  OutcomeExamples examples{.inputs = people.inputs, .values = people.values, .outcomes = {}};
  examples.outcomes.assign(phi.begin(), phi.end());
  UpliftFit fit;
  fit.model.method = UpliftMethod::dr;
  VITRINE_ASSIGN_OR_RETURN(fit.model.direct,
                           fit_outcome(examples, OutcomeKind::amount, options.effect_ridge));
  fit.average = mean_of(phi);
  return fit;
}

}  // namespace

std::string_view name_of(UpliftMethod method) {
  switch (method) {
    case UpliftMethod::s:
      return "s";
    case UpliftMethod::t:
      return "t";
    case UpliftMethod::x:
      return "x";
    case UpliftMethod::dr:
      return "dr";
  }
  return "";
}

void UpliftExamples::add(std::span<const float> row_values, bool is_treated, float outcome,
                         double treated_share) {
  values.insert(values.end(), row_values.begin(), row_values.end());
  treated.push_back(is_treated ? 1 : 0);
  outcomes.push_back(outcome);
  treated_shares.push_back(static_cast<float>(treated_share));
}

double UpliftModel::effect(std::span<const float> row) const {
  const bool is_direct = method == UpliftMethod::x || method == UpliftMethod::dr;
  return is_direct ? direct.mean(row) : offered.mean(row) - withheld.mean(row);
}

absl::StatusOr<UpliftFit> fit_uplift(const UpliftExamples& people, const UpliftOptions& options) {
  VITRINE_RETURN_IF_ERROR(check(people, options));
  // Also finds out whether a group is empty.
  VITRINE_ASSIGN_OR_RETURN(GroupModels groups,
                           fit_groups(people, options, [](std::size_t) { return true; }));
  if (options.method == UpliftMethod::dr) return fit_dr(people, options);
  UpliftFit fit;
  fit.average = weighted_difference(people);
  if (options.method == UpliftMethod::s) {
    VITRINE_ASSIGN_OR_RETURN(fit.model, fit_s(people, options));
  } else if (options.method == UpliftMethod::x) {
    VITRINE_ASSIGN_OR_RETURN(fit.model, fit_x(people, options));
  } else {
    fit.model.method = UpliftMethod::t;
    fit.model.offered = std::move(groups.offered);
    fit.model.withheld = std::move(groups.withheld);
  }
  return fit;
}

std::vector<double> monotone_effects(std::span<const double> effects,
                                     std::span<const double> weights) {
  CHECK(effects.size() == weights.size(), "a weight an effect");
  struct Block {
    double mean;
    double weight;
    std::size_t count;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    blocks.push_back({effects[i], weights[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& before = blocks.back();
      const double weight = before.weight + last.weight;
      before.mean = (before.mean * before.weight + last.mean * last.weight) / weight;
      before.weight = weight;
      before.count += last.count;
    }
  }
  std::vector<double> result;
  for (const Block& block : blocks) result.insert(result.end(), block.count, block.mean);
  return result;
}

}  // namespace vitrine::training
