// Offers for many people in one go, under budgets, beside what simpler ways would bring.
//
// People of the offered group share the budgets; those of a holdout get what they would have got at
// the same prices, as ghosts, which costs nothing. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "training/uplift/allocation.h"

namespace vitrine::training {

// One offer for one person.
struct ProspectOption {
  std::uint32_t offer = 0;
  double chance = 0;  // that it is redeemed
  double value = 0;   // expected, against no offer
  double cost = 0;    // expected, against no offer
};

struct BatchAllocation {
  struct Choice {
    std::size_t person = 0;  // in the order in which they were added
    ProspectOption option = {};
    bool is_ghost = false;
  };
  std::vector<Choice> choices;  // of those who get something, in the order of people

  struct OfferSum {
    std::uint64_t people = 0;
    std::uint64_t ghosts = 0;
    double redemptions = 0;
    double value = 0;
    double cost = 0;
  };
  std::vector<OfferSum> offers;  // by offer, ghosts counted only

  double value = 0;
  double cost = 0;
  double bound = 0;            // no allocation under the budgets is worth more
  std::vector<double> prices;  // of each budget, for a unit of it
  std::vector<double> spent;   // likewise; never above the budget

  // One offer to all, by chance to as many as its budgets pay for.
  struct Single {
    std::uint32_t offer = 0;
    double share = 1;  // of the people
    double value = 0;
    double cost = 0;
  };
  std::optional<Single> best_single;  // worth most; none when every offer loses, as nobody is then
};

class AllocationBatch {
 public:
  // budgets           what is left of each
  // budgets_of_offer  what each offer draws from
  AllocationBatch(std::vector<double> budgets,
                  std::vector<std::vector<std::uint32_t>> budgets_of_offer);

  void add(bool is_offered, std::span<const ProspectOption> options);

  std::size_t people() const { return people_.size(); }
  // InvalidArgument as allocate().
  absl::StatusOr<BatchAllocation> allocate() const;

 private:
  struct Person {
    std::size_t end = 0;  // of options_
    bool is_offered = true;
  };
  std::span<const ProspectOption> options_of(std::size_t person) const;
  AllocationProblem problem() const;
  void choose(std::size_t person, std::uint32_t option, BatchAllocation& batch) const;
  std::optional<BatchAllocation::Single> best_single() const;

  std::vector<double> budgets_;
  std::vector<std::vector<std::uint32_t>> budgets_of_offer_;
  std::vector<Person> people_;
  std::vector<ProspectOption> options_;
};

}  // namespace vitrine::training
