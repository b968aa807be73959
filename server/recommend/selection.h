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
#include "server/recommend/rule_stage.h"

namespace vitrine::recommend {

struct Pick {
  ProductNumber product;
  ProductNumber given;        // what the source gave: the product, or the one it is a variant of
  std::string_view group;     // empty: in none
  std::string_view category;  // the deepest; empty: in none
  std::string_view brand;     // empty: of none
  bool is_repeat = false;     // the person bought it before
  float score = 0;
  const CandidateSource* source = nullptr;
  const Pool::Entry* entry = nullptr;  // null for what filled the answer up
  std::optional<Reason> reason;        // set once known
  const Rule* pin = nullptr;           // the rule that says where it stands
  std::vector<std::string> rules;      // with explain: the ids of all that moved it
  std::optional<double> propensity;    // of what chance drew: how likely it was this product

  bool is_fixed() const { return pin != nullptr || propensity; }
};

class Selection {
 public:
  Selection(const Context& context, FilterStage& filter);

  bool is_full() const { return picks_.size() == context_.request.limit; }
  bool contains(ProductNumber product) const;
  const std::vector<Pick>& picks() const { return picks_; }
  // Once, at the end.
  std::vector<Pick> take() { return std::move(picks_); }

  // Has the memory begin to fetch what refusal_of() will look at.
  void expect(ProductNumber product) const;
  // Why what is there leaves no room for an admitted product: a variant of it, or a full cap.
  std::optional<Removal> refusal_of(ProductNumber product) const;
  // Refuses, and counts, what refusal_of() tells. `given`: what the source gave, see Pick.
  // Precondition: not full, not contained, admitted by the filter.
  void add(ProductNumber product, ProductNumber given, float score, const CandidateSource& source,
           const Pool::Entry* entry);
  // As add(), for the rule's position. False when it is refused.
  bool pin(ProductNumber product, ProductNumber given, float score, const CandidateSource& source,
           const Pool::Entry* entry, const Rule& rule);
  // Of the latest product added.
  void mark_drawn(double propensity) { picks_.back().propensity = propensity; }
  // Adds what is admitted and not there yet, until full.
  void fill(std::span<const ProductNumber> products, const CandidateSource& source);
  void explain();
  // Notes which rules moved what came from the pool.
  void explain_rules(const RuleStage& rules);

  // Sees to it that a reason names the product of the person's newest event, if it or anything
  // related may be shown: what is shown anyway gets that reason, else the last place is given to
  // it. After explain(). What a rule or chance put there stays.
  absl::Status answer_newest();

  // Brings the pins to their positions, and what chance drew to the ends of the dozens that the
  // placement explores in. The last step.
  void arrange();

 private:
  // What fills an answer up stands behind all that was chosen.
  static constexpr float k_fill_weight = 0.001F;
  // Somebody who comes back after longer is not owed an answer to what they did then; what was
  // bought is done with sooner than what was looked at.
  static constexpr TimeMs k_newest_ms_max = 30 * k_day_ms;
  static constexpr TimeMs k_newest_purchase_ms_max = k_day_ms;

  // Has the memory begin to fetch what reasons and the answer read of the picks.
  void expect_picks() const;
  bool put(ProductNumber product, const CandidateSource& source, const Reason& reason);
  Pick pick_of(ProductNumber product) const;
  bool reads(ProductNumber product) const;  // whether pick_of() looks at the product itself
  // As refusal_of(), if `leaving` were not there; null: all stay.
  std::optional<Removal> refusal_of(const Pick& candidate, const Pick* leaving) const;
  Pick* place_for(const Pick& candidate);

  const Context& context_;
  FilterStage& filter_;
  std::vector<Pick> picks_;
  std::size_t repeats_max_;
  std::size_t filled_ = 0;
  bool fills_ = false;
  float fill_weight_ = k_fill_weight;
};

}  // namespace vitrine::recommend
