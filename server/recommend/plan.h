// A placement made ready: its sources looked up, its metrics at hand.
//
// Immutable; thread-safe. Plans are replaced as a whole when a placement changes; an answer takes
// them once.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "server/recommend/blend.h"
#include "server/recommend/candidate_source.h"
#include "server/recommend/choice.h"
#include "server/recommend/pace.h"
#include "server/recommend/placement_book.h"
#include "server/recommend/pool.h"
#include "server/recommend/rule_stage.h"
#include "server/recommend/selection.h"

namespace vitrine::recommend {

// A thread's memory between two requests.
struct Scratch {
  ContextMemory context;
  std::vector<ProductNumber> products;                                // what one source gave
  std::array<std::vector<ProductNumber>, Pool::k_sources_max> found;  // what each source gave
  bool is_whole = true;                                               // every source was heard
  Pool pool;

  // Answers that a thread makes at the same time have a place each.
  static constexpr std::size_t k_places = 4;
  static Scratch& of_this_thread(std::size_t place = 0);
};

struct Plan {
  struct Source {
    const CandidateSource* source;
    Pace* pace;
    Counter* seconds;
    Counter* failures;
    Counter* late;  // times it was left out because of the deadline

    bool is_search(const Context& context) const {
      return source->cost(context) == SourceCost::search;
    }
    // What was looked up for it beforehand; null for nothing.
    const TasteSearch* searched(const Context& context) const;
    // Whether it would end before the deadline, by what is known.
    bool has_time(const Context& context) const;
    // False when the deadline kept it from an answer. It leaves `out` empty then, and so does one
    // that fails.
    bool produce(const Context& context, std::vector<ProductNumber>& out) const;
    // Counts, and leaves `out` empty.
    void leave_out(const Context& context, std::vector<ProductNumber>& out) const;
  };

  // Asks every source that only looks something up: that costs next to nothing, and is there when a
  // search comes too late. Notes the tastes that the others go by, of those that have the time.
  void look_ahead(const Context& context, Scratch& memory) const;
  // After look_ahead() and the searches it noted: asks the other sources, until the deadline; what
  // the filter admits is in the pool.
  void gather(const Context& context, FilterStage& filter, Scratch& memory) const;
  // Best first, by what the model has learnt, else by the weights of the placement.
  void sort(const Context& context, Pool& pool) const;
  // The best of the pool, filled up, explained.
  Selection select(const Context& context, FilterStage& filter, Scratch& memory,
                   Chance& chance) const;
  // With what the fallbacks give.
  void fill(const Context& context, Scratch& memory, Selection& selection) const;

  // Asks one of the sources, if it has the time.
  void ask(std::size_t number, const Context& context, Scratch& memory) const;

  const Placement* placement;
  std::vector<Source> sources;
  std::vector<const CandidateSource*> found_by;  // `sources` for those who ask for their reasons
  CompiledRules rules;
  HandSetBlend blend;  // where the model has learnt none
  std::vector<Source> fallback;
  Source everything;  // of a narrow request, when the fallback knows too little of it
  Source related;     // the one behind Selection::answer_newest
  Histogram* seconds;
  Counter* short_answers;
  Counter* late_answers;  // some source was left out
};

struct Plans {
  // Precondition, checked: every placement passes validate().
  // `paces` outlives them.
  Plans(PlacementBook placements, Metrics& metrics, SourcePaces& paces);

  // NotFound lists the placements there are.
  absl::StatusOr<const Plan*> find(std::string_view placement) const;

  const PlacementBook book;
  std::vector<Plan> plans;  // in the book's order
};

}  // namespace vitrine::recommend
