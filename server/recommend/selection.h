// The products that will be shown: no two variants of one group, no more than asked for.
//
// Thread-safety: one request, one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/candidate_source.h"
#include "server/recommend/filter_stage.h"
#include "server/recommend/pool.h"

namespace vitrine::recommend {

struct Pick {
  ProductNumber product;
  std::string_view group;  // empty: in none
  float score = 0;
  const CandidateSource* source = nullptr;
  const Pool::Entry* entry = nullptr;  // null for what filled the answer up
  std::optional<Reason> reason;        // set once known
};

class Selection {
 public:
  Selection(const Context& context, FilterStage& filter);

  bool is_full() const { return picks_.size() == context_.request.limit; }
  bool contains(ProductNumber product) const;
  const std::vector<Pick>& picks() const { return picks_; }

  // Refuses, and counts, a variant of what is there. Precondition: not full, not contained,
  // admitted by the filter.
  void add(ProductNumber product, float score, const CandidateSource& source,
           const Pool::Entry* entry);
  // Adds what is admitted and not there yet, until full.
  void fill(std::span<const ProductNumber> products, const CandidateSource& source);
  void explain();

  // Sees to it that a reason names the product of the person's newest event, if it or anything
  // related may be shown: what is shown anyway gets that reason, else the last place is given to
  // it. After explain().
  absl::Status answer_newest();

 private:
  void put(ProductNumber product, const CandidateSource& source, Reason reason);
  std::string_view group_of(ProductNumber product) const;
  Pick* find_variant(std::string_view group);

  const Context& context_;
  FilterStage& filter_;
  std::vector<Pick> picks_;
  std::size_t filled_ = 0;
};

}  // namespace vitrine::recommend
