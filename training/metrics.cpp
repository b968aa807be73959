#include "training/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace vitrine::training {

ListQuality list_quality(std::span<const std::uint32_t> ranked,
                         std::span<const std::uint32_t> truth, std::size_t k) {
  CHECK(!truth.empty() && k > 0, "a truth to compare with and a cutoff");
  ListQuality quality;
  double hits = 0;
  for (std::size_t i = 0; i < std::min(k, ranked.size()); ++i) {
    if (!std::binary_search(truth.begin(), truth.end(), ranked[i])) continue;
    const double rank = static_cast<double>(i) + 1;
    if (hits == 0) quality.mrr = 1 / rank;
    quality.ndcg += 1 / std::log2(rank + 1);
    ++hits;
  }
  const std::size_t best_hits = std::min(k, truth.size());
  double ideal = 0;
  for (std::size_t i = 0; i < best_hits; ++i) ideal += 1 / std::log2(static_cast<double>(i) + 2);
  quality.recall = hits / static_cast<double>(truth.size());
  quality.recall_min = hits / static_cast<double>(best_hits);
  quality.ndcg /= ideal;
  quality.hr = hits > 0 ? 1 : 0;
  return quality;
}

}  // namespace vitrine::training
