// What the server would have been asked in the time after a moment, and what people then took.
//
// One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/string_map.h"
#include "server/rehearsal/rehearsal.h"

namespace vitrine::rehearsal {

struct Question {
  recommend::RecommendRequest request;
  StringSet wanted;  // product ids: what the person took after it
};

// What happened after the moment, by time. The texts of the interactions outlive it.
using Slice = std::vector<training::Interaction>;

// Who did anything in the slice.
StringSet people_of(const Slice& slice);

// One question a person with a history: what they bought in the slice, else, in a slice with few
// purchases, what they looked at. Evenly drawn, at most `questions_max`.
std::vector<Question> visits(const Slice& slice, const Rehearsal& rehearsal, std::string placement,
                             std::size_t questions_max);

// Plays the slice through the rehearsal, and asks on the way, at the time and before it is known:
// `on_cart` for orders of two products and more with one of them left out of the cart, `on_page`
// for a product looked at with the one that follows it in the session. Evenly drawn, about
// `questions_max` of each.
void play(const Slice& slice, Rehearsal& rehearsal, std::size_t questions_max,
          const std::function<void(const Question&)>& on_cart,
          const std::function<void(const Question&)>& on_page);

}  // namespace vitrine::rehearsal
