// The steps from a request to its answer that recommend, pages, rankings and why-not share.
//
// For this folder's files only. Thread-safe: each call works on its own thread's memory.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "server/recommend/chance.h"
#include "server/recommend/context.h"
#include "server/recommend/plan.h"

namespace vitrine::recommend {

// InvalidArgument begins with the field.
absl::Status check(const RecommendRequest& request, const Placement& placement);

// Asks the sources of `plan` that look something up, and searches for what the others go by. Before
// gather(), on the memory of the context.
void look_ahead(const Plan& plan, const Context& context, Scratch& memory);

// When a request began, and when it was known what to look for; of steady_us().
struct Begun {
  std::int64_t started_us;
  std::int64_t known_us = steady_us();
};

// Asks `plan` and leaves the candidates in `memory`, that of the context. Precondition: check() and
// look_ahead() came before.
RecommendAnswer answer_with(const Plan& plan, const Context& context, const Begun& begun,
                            Scratch& memory, Chance& chance);

// An answer without products.
RecommendAnswer begin_answer(const Context& context);
RecommendedProduct shown(const Context& context, Pick pick);
// What each source of the placement adds to the score of a candidate.
std::vector<std::pair<std::string_view, float>> source_scores(const Context& context,
                                                              const Pool::Entry& entry);

}  // namespace vitrine::recommend
