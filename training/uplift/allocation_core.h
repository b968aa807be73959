// Closes the gap that prices leave in small allocations, where one person more or less counts.
//
// At the found prices each deviation from a person's best option loses a known part of the bound.
// Whoever would lose more than the gap keeps the best option in every better allocation; the few
// others, the core, are searched in order of their loss, and what cannot beat the best is dropped
// (the core idea is Balas and Zemel's, 1980). Exact when the core and its states fit their limits.
// Thread-safe (pure functions).
#pragma once

#include "training/uplift/allocation.h"

namespace vitrine::training {

struct CoreLimits {
  std::size_t people = 128;    // searched; the others keep their best option
  std::size_t states = 2048;   // partial allocations kept, those of the least loss
  double good_enough = 0.999;  // of the bound: nothing is searched above
};

// Replaces `allocation`, which is within its budgets, by a better one if the core holds one. Its
// prices and its bound must be those of `problem`.
void improve_by_core(const AllocationProblem& problem, const CoreLimits& limits,
                     Allocation& allocation);

}  // namespace vitrine::training
