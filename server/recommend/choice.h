// Chooses from the sorted pool what an answer shows: pins, then the best with as much variety as
// the placement asks for, then what chance draws.
//
// Thread-safety: one request, one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "server/recommend/chance.h"
#include "server/recommend/rule_stage.h"
#include "server/recommend/selection.h"

namespace vitrine::recommend {

class Choice {
 public:
  // Of how many candidates, at most, those that differ are picked first, and for how many places;
  // what stands further down is shown best first.
  static constexpr std::size_t k_window_max = 200;
  static constexpr std::size_t k_window_places = 4;  // candidates a place
  static constexpr std::size_t k_varied_places_max = 48;
  // The best candidates that did not make it, of which chance draws one.
  static constexpr std::size_t k_drawn_from_max = 64;

  // `sources`: of the placement, in its order. All outlive the choice.
  Choice(const Context& context, const RuleStage& rules,
         const std::vector<const CandidateSource*>& sources, FilterStage& filter, Pool& pool,
         Selection& selection)
      : context_(context),
        rules_(rules),
        sources_(sources),
        filter_(filter),
        pool_(pool),
        selection_(selection) {}

  void pin();
  void choose(Chance& chance);

 private:
  std::size_t drawn_places() const;
  const Pool::Entry* best_pinned(const CompiledRule& pin) const;
  bool pin_by_id(const CompiledRule& pin);
  void add(const Pool::Entry& entry);
  void add_best(std::size_t places);
  void add_varied(std::size_t places);
  void draw(Chance& chance);
  // The next best that is not shown yet; null at the end.
  const Pool::Entry* next();

  const Context& context_;
  const RuleStage& rules_;
  const std::vector<const CandidateSource*>& sources_;
  FilterStage& filter_;
  Pool& pool_;
  Selection& selection_;
  std::vector<const Pool::Entry*> left_;  // of the window, best first
  std::size_t left_at_ = 0;
};

}  // namespace vitrine::recommend
