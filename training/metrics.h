// How good one ranked list is against the products that truly followed.
//
// Thread-safe (pure functions).
#pragma once

#include <cstdint>
#include <span>

namespace vitrine::training {

// What one user adds to the means; every number is in [0, 1].
struct ListQuality {
  double recall = 0;      // hits / |truth|
  double recall_min = 0;  // hits / min(k, |truth|)
  double ndcg = 0;        // binary gain, ideal over min(k, |truth|)
  double hr = 0;          // 1 if there is a hit
  double mrr = 0;         // 1 / rank of the first hit
};

// ranked  best first; only the first k count
// truth   rising, not empty (checked)
ListQuality list_quality(std::span<const std::uint32_t> ranked,
                         std::span<const std::uint32_t> truth, std::size_t k);

}  // namespace vitrine::training
