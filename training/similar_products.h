// Which products are alike by their factors: the nearest by cosine, exactly.
//
// Every pair of products is scored once, for both sides, in blocks that stay in the cache; 200,000
// products of 128 numbers are 2.6e12 multiplications. The answer does not depend on the number of
// threads. Thread-safe; starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "model/aligned_floats.h"
#include "training/neighbors.h"

namespace vitrine::training {

struct SimilarWatch {
  std::function<void(double share)> on_progress = {};  // on the calling thread; may be empty
  const std::atomic<bool>* cancel = nullptr;           // may be null
};

// Falling cosine of the factors (`row_count` rows of `stride` floats), equal ones by row; products
// whose factors are 0 have none and are nobody's, and opposites are not similar.
// Errors   Cancelled
absl::StatusOr<NeighborLists> similar_products(const AlignedFloats& factors, std::size_t row_count,
                                               std::size_t stride, std::uint32_t similar_max,
                                               unsigned threads, const SimilarWatch& watch = {});

}  // namespace vitrine::training
