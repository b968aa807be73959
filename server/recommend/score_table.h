// Sums by number, wiped by counting up: a thread's memory for one computation after another.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::recommend {

class ScoreTable {
 public:
  // Forgets all sums.
  void begin() {
    touched_.clear();
    if (++round_ == 0) {
      entries_.clear();
      round_ = 1;
    }
  }
  // The sum, 0 at first. Valid until the next call.
  float& at(std::uint32_t number) {
    if (number >= entries_.size()) entries_.resize(number + 1 + entries_.size() / 2);
    Entry& entry = entries_[number];
    if (entry.round != round_) {
      entry = {.round = round_};
      touched_.push_back(number);
    }
    return entry.sum;
  }
  // 0 for what was not touched.
  float of(std::uint32_t number) const {
    return number < entries_.size() && entries_[number].round == round_ ? entries_[number].sum : 0;
  }
  // In the order in which they were first touched.
  const std::vector<std::uint32_t>& touched() const { return touched_; }

 private:
  struct Entry {
    std::uint32_t round = 0;
    float sum = 0;
  };
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> touched_;
  std::uint32_t round_ = 0;
};

}  // namespace vitrine::recommend
