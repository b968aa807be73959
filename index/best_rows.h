// Keeps the k best rows of a stream: a buffer twice as long, cut back to k whenever it is full.
//
// Cutting costs O(k) every k rows, which beats a heap for the hundreds of candidates a placement
// asks for. Not thread-safe; one a search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "index/product_index.h"

namespace vitrine::index {

// An object, not a function: what sorts by it is compiled with it inside.
inline constexpr auto is_better = [](const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
};

class BestRows {
 public:
  explicit BestRows(std::size_t k) : k_(k) { rows_.reserve(2 * k); }

  // A row below this score cannot be among the best any more; one equal to it can, by its row.
  float threshold() const { return threshold_; }

  void offer(std::uint32_t row, float score) {
    if (rows_.size() == 2 * k_) cut();
    rows_.push_back({row, score});
  }

  // Up to k rows, best first. Once, at the end.
  std::vector<Neighbor> take() {
    if (rows_.size() > k_) cut();
    std::sort(rows_.begin(), rows_.end(), is_better);
    return std::move(rows_);
  }

 private:
  void cut() {
    const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(rows_.begin(), last, rows_.end(), is_better);
    threshold_ = last->score;
    rows_.resize(k_);
  }

  std::size_t k_;
  std::vector<Neighbor> rows_;
  float threshold_ = -std::numeric_limits<float>::infinity();
};

}  // namespace vitrine::index
