// The candidates of all sources, each once, with the places that the sources gave it.
//
// Scores of different sources do not compare, places in their lists do: place r counts as the share
// k / (k + r), k = 10 (reciprocal rank fusion, Cormack et al. 2009). A Blend makes one score of
// them. Thread-safety: one thread; kept for its memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "server/recommend/filter_stage.h"

namespace vitrine::recommend {

class Blend;

class Pool {
 public:
  static constexpr std::size_t k_sources_max = 16;  // of one placement
  static constexpr float k_fusion = 10;

  struct Entry {
    ProductNumber product;
    float score = 0;                           // by the blend, as the two below
    std::uint8_t strongest = 0;                // the source that says most for it
    std::array<float, k_sources_max> parts{};  // of the score, by the source's place
    // Likewise one more than the place in the source's list; 0: not given by it.
    std::array<std::uint16_t, k_sources_max> places{};

    bool is_given_by(std::size_t source) const { return places[source] != 0; }
    // 0 when it was not given by the source.
    float share_of(std::size_t source) const {
      return is_given_by(source) ? share_of_place(places[source] - 1U) : 0;
    }
  };

  static float share_of_place(std::size_t place) {
    return k_fusion / (k_fusion + static_cast<float>(place));
  }

  void begin() {
    entries_.clear();
    stand_ins_.clear();
  }
  // What the filter does not admit takes no place; a variant of it that may be shown takes it.
  void add(std::size_t source, std::span<const ProductNumber> products, FilterStage& filter,
           ProductMarks& marks);
  std::span<const Entry> entries() const { return entries_; }
  // What its strongest source gave: the product itself, or the one it is a variant of.
  ProductNumber given(const Entry& entry) const;
  // Null for what is not in it.
  const Entry* find(ProductNumber product) const;

  // After the last add(): entries best first, equal scores by product number; null at the end.
  void sort(const Blend& blend);
  const Entry* next();

  // Gives every entry the score that score_of(entry) makes of it, and sorts anew. After sort(),
  // before next().
  template <class ScoreOf>
  void rescore(ScoreOf&& score_of) {
    for (Entry& entry : entries_) entry.score = score_of(entry);
    order();
  }

 private:
  // What orders an entry, beside the others: entries are large and most of them are never shown.
  struct Rank {
    float score;
    ProductNumber product;
    std::uint32_t slot;
  };
  static bool is_worse(const Rank& a, const Rank& b);
  void order();

  struct StandIn {
    ProductNumber shown;
    ProductNumber given;
    std::size_t source;
  };

  std::vector<Entry> entries_;
  std::vector<StandIn> stand_ins_;  // few, and none in most answers
  std::vector<Rank> heap_;
};

}  // namespace vitrine::recommend
