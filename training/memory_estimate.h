// How much memory a training run takes, before it takes it.
//
// The formula is the one of docs/training.md, an upper bound of the largest of three moments: every
// fact is kept once and sorted; the factors stand beside the pairs; the finished model stands
// beside the bytes of its files. Thread-safe (pure functions).
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <filesystem>

#include "training/als_trainer.h"
#include "training/dataset.h"
#include "training/neighbors.h"

namespace vitrine::training {

// What is not known yet is 0.
struct TrainingSize {
  std::uint64_t interactions = 0;
  std::uint64_t users = 0;
  std::uint64_t products = 0;
  std::uint64_t orders = 0;
  std::uint64_t sessions = 0;
  std::uint64_t market_products = 0;  // products of each market, all markets together
  std::uint64_t longest_row = 0;      // products of a user, or users of a product
  std::uint32_t dimension = 0;
  std::uint32_t similar_max = NeighborOptions{}.similar_max;
  unsigned threads = 1;
};

TrainingSize training_size(const Dataset& data, const AlsOptions& options);

std::uint64_t training_bytes(const TrainingSize& size);

// Interactions that a file holds, from its size and its first lines; gzip'ed ones are taken to be
// four times as long as they are. 0 when the file cannot be read.
std::uint64_t interactions_of_file(const std::filesystem::path& path);

// What a run may take by default: nine tenths of the memory that is free now. 0 when unknown.
std::uint64_t free_memory_bytes();

// ResourceExhausted, with all the numbers, when `size` needs more than `limit` bytes (0: no limit).
absl::Status check_memory(const TrainingSize& size, std::uint64_t limit);

}  // namespace vitrine::training
