// One decision about one person: kept from the campaign or not, which offer, with what probability.
//
// The same code for a request and for a batch over a segment. What people in a holdout would have
// got is decided all the same, so that a report can compare ghosts with grants; it may be logged
// but neither shown nor granted. Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "training/uplift/allocation.h"
#include "training/uplift/exploration.h"
#include "training/uplift/holdout.h"

namespace vitrine::training {

struct DecisionRequest {
  std::uint64_t person = 0;  // the number that was assigned first, if people were merged
  // Offers this person may get, after every condition; expected value and cost against none.
  std::span<const AllocationOption> eligible;
  // Of the last allocation, and what each offer draws from.
  std::span<const double> prices;
  std::span<const std::vector<std::uint32_t>> budgets_of_offer;
  double chance = 0;  // uniform in [0, 1)
};

struct CouponDecision {
  struct Arm {
    std::optional<std::uint32_t> offer;  // absent: none
    double score = 0;                    // value less cost at the prices
    double propensity = 0;               // after the floor
  };

  Assignment assignment = Assignment::offered;
  std::vector<Arm> arms;     // the shortlist, best first, and then none
  std::uint32_t chosen = 0;  // of the arms

  const Arm& choice() const { return arms[chosen]; }
  // Whether the choice may be shown and granted; otherwise it is a ghost.
  bool is_granted() const { return assignment == Assignment::offered && choice().offer; }
};

// InvalidArgument: a plan or options outside their ranges, a value or cost that is not finite, an
// offer or budget without its entry, or a chance outside [0, 1).
absl::StatusOr<CouponDecision> decide(const DecisionRequest& request, const HoldoutPlan& plan,
                                      const ExplorationOptions& options);

}  // namespace vitrine::training
