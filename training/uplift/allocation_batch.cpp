#include "training/uplift/allocation_batch.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace vitrine::training {
namespace {

void append(std::span<const ProspectOption> options, std::vector<AllocationOption>& all) {
  for (const ProspectOption& one : options)
    all.push_back({.offer = one.offer, .value = one.value, .cost = one.cost});
}

}  // namespace

AllocationBatch::AllocationBatch(std::vector<double> budgets,
                                 std::vector<std::vector<std::uint32_t>> budgets_of_offer)
    : budgets_(std::move(budgets)), budgets_of_offer_(std::move(budgets_of_offer)) {}

void AllocationBatch::add(bool is_offered, std::span<const ProspectOption> options) {
  options_.insert(options_.end(), options.begin(), options.end());
  people_.push_back({.end = options_.size(), .is_offered = is_offered});
}

std::span<const ProspectOption> AllocationBatch::options_of(std::size_t person) const {
  const std::size_t begin = person == 0 ? 0 : people_[person - 1].end;
  return {options_.data() + begin, people_[person].end - begin};
}

// Of everybody; those in the holdout have no options, so that they take nothing.
AllocationProblem AllocationBatch::problem() const {
  AllocationProblem problem;
  problem.budgets = budgets_;
  problem.budgets_of_offer = budgets_of_offer_;
  problem.ends.reserve(people_.size());
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (people_[i].is_offered) append(options_of(i), problem.options);
    problem.ends.push_back(problem.options.size());
  }
  return problem;
}

void AllocationBatch::choose(std::size_t person, std::uint32_t option,
                             BatchAllocation& batch) const {
  const ProspectOption& chosen = options_of(person)[option];
  const bool is_ghost = !people_[person].is_offered;
  batch.choices.push_back({.person = person, .option = chosen, .is_ghost = is_ghost});
  BatchAllocation::OfferSum& sum = batch.offers[chosen.offer];
  if (is_ghost) {
    ++sum.ghosts;
    return;
  }
  ++sum.people;
  sum.redemptions += chosen.chance;
  sum.value += chosen.value;
  sum.cost += chosen.cost;
  batch.cost += chosen.cost;
}

std::optional<BatchAllocation::Single> AllocationBatch::best_single() const {
  std::vector<BatchAllocation::Single> all(budgets_of_offer_.size());
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (!people_[i].is_offered) continue;
    for (const ProspectOption& option : options_of(i)) {
      all[option.offer].value += option.value;
      all[option.offer].cost += option.cost;
    }
  }
  std::optional<BatchAllocation::Single> best;
  for (std::uint32_t offer = 0; offer < all.size(); ++offer) {
    BatchAllocation::Single& one = all[offer];
    one.offer = offer;
    for (const std::uint32_t budget : budgets_of_offer_[offer]) {
      if (one.cost > budgets_[budget]) one.share = std::min(one.share, budgets_[budget] / one.cost);
    }
    one.value *= one.share;
    one.cost *= one.share;
    if (one.value > (best ? best->value : 0)) best = one;
  }
  return best;
}

absl::StatusOr<BatchAllocation> AllocationBatch::allocate() const {
  VITRINE_ASSIGN_OR_RETURN(const Allocation found, training::allocate(problem()));
  BatchAllocation batch;
  batch.offers.resize(budgets_of_offer_.size());
  batch.prices = found.prices;
  batch.spent = found.spent;
  batch.value = found.value;
  batch.bound = found.bound;
  std::vector<AllocationOption> ghost;
  for (std::size_t i = 0; i < people_.size(); ++i) {
    std::optional<std::uint32_t> chosen = found.chosen[i];
    if (!people_[i].is_offered) {
      ghost.clear();
      append(options_of(i), ghost);
      chosen = best_option(ghost, budgets_of_offer_, found.prices);
    }
    if (chosen) choose(i, *chosen, batch);
  }
  batch.best_single = best_single();
  return batch;
}

}  // namespace vitrine::training
