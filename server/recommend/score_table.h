// Sums by number: a thread's memory for one computation after another.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "server/recommend/round_table.h"

namespace vitrine::recommend {

class ScoreTable {
 public:
  // Forgets all sums.
  void begin() {
    touched_.clear();
    sums_.begin();
  }
  // The sum, 0 at first. Valid until the next call.
  float& at(std::uint32_t number) {
    const auto [sum, is_new] = sums_.at(number);
    if (is_new) touched_.push_back(number);
    return sum;
  }
  // 0 for what was not touched.
  float of(std::uint32_t number) const {
    const float* const sum = sums_.find(number);
    return sum == nullptr ? 0 : *sum;
  }
  // In the order in which they were first touched.
  const std::vector<std::uint32_t>& touched() const { return touched_; }

 private:
  RoundTable<float> sums_;
  std::vector<std::uint32_t> touched_;
};

}  // namespace vitrine::recommend
