// An evaluation again, apart for users who did little and users who did much.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "training/evaluator.h"

namespace vitrine::training {

// Users with `from` to `to` products in training.
struct ActivityBucket {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // UINT64_MAX: no end
  std::uint64_t users = 0;
  std::map<std::string, double> metrics;  // the means of the evaluation's per-user numbers
};

// Buckets 1-4, 5-9, 10-19, 20-49, 50-99 and 100 or more; those without a user are left out.
std::vector<ActivityBucket> by_activity(const Evaluation& evaluation, const Dataset& train);

}  // namespace vitrine::training
