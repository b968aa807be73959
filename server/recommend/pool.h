// The blend: candidates of all sources with one score each.
//
// Scores of different sources do not compare, places in their lists do: place r of a source adds
// weight * k / (k + r), k = 10 (reciprocal rank fusion, Cormack et al. 2009). A product of several
// sources adds up, and is said to come from the one that gave it most. Thread-safety: one thread;
// kept for its memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "server/recommend/filter_stage.h"

namespace vitrine::recommend {

class Pool {
 public:
  static constexpr std::size_t k_sources_max = 8;  // of one placement

  struct Entry {
    ProductNumber product;
    float score = 0;
    float most = 0;                            // of `parts`
    std::uint8_t strongest = 0;                // whose that is
    std::array<float, k_sources_max> parts{};  // by the source's place in the placement
  };

  static float share_of_place(std::size_t place);

  void begin() { entries_.clear(); }
  // What the filter does not admit takes no place.
  void add(std::size_t source, float weight, std::span<const ProductNumber> products,
           FilterStage& filter, ProductMarks& marks);

  std::span<const Entry> entries() const { return entries_; }
  // Null for what is not in it.
  const Entry* find(ProductNumber product) const;

  // After the last add(): entries best first, equal scores by product number; null at the end.
  void sort();
  const Entry* next();

  // Gives every entry the score that score_of(entry) makes of it, and sorts anew. After sort(),
  // before next().
  template <class ScoreOf>
  void rescore(ScoreOf&& score_of) {
    for (Entry& entry : entries_) entry.score = score_of(entry);
    order();
  }

 private:
  void order();
  bool is_worse(std::uint32_t a, std::uint32_t b) const;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> heap_;
};

}  // namespace vitrine::recommend
