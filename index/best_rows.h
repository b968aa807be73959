// Keeps the k best rows of a stream: a buffer twice as long, cut back to k whenever it is full.
//
// Cutting costs O(k) every k rows, which beats a heap for the hundreds of candidates a placement
// asks for. Not thread-safe; one a search.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "index/product_index.h"
#include "index/row_key.h"

namespace vitrine::index {

class BestRows {
 public:
  explicit BestRows(std::size_t k) : k_(k) { keys_.reserve(2 * k); }

  // A row below this score cannot be among the best any more; one equal to it can, by its row.
  float threshold() const { return threshold_; }

  void offer(std::uint32_t row, float score) {
    if (keys_.size() == 2 * k_) cut();
    keys_.push_back(key_of(score, row));
  }

  // Up to k rows, best first. Once, at the end.
  std::vector<Neighbor> take() {
    if (keys_.size() > k_) cut();
    std::sort(keys_.begin(), keys_.end(), std::greater<>());
    std::vector<Neighbor> rows(keys_.size());
    std::ranges::transform(keys_, rows.begin(),
                           [](std::uint64_t key) { return Neighbor{row_of(key), score_of(key)}; });
    return rows;
  }

 private:
  void cut() {
    select_largest(keys_.data(), keys_.size(), k_);
    keys_.resize(k_);
    threshold_ = score_of(*std::ranges::min_element(keys_));
  }

  std::size_t k_;
  std::vector<std::uint64_t> keys_;
  float threshold_ = -std::numeric_limits<float>::infinity();
};

}  // namespace vitrine::index
