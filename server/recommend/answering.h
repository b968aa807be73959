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

// Asks `plan` and leaves the candidates in Scratch::of_this_thread(). Precondition: check() passed.
// `started_us` is when the request began.
RecommendAnswer answer_with(const Plan& plan, const Context& context, std::int64_t started_us,
                            Chance& chance);

// An answer without products.
RecommendAnswer begin_answer(const Context& context);
RecommendedProduct shown(const Context& context, const Pick& pick);
// What each source of the placement adds to the score of a candidate.
std::vector<std::pair<std::string_view, float>> source_scores(const Context& context,
                                                              const Pool::Entry& entry);

}  // namespace vitrine::recommend
