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
std::vector<Question> visits(const Slice& slice, const Rehearsal& rehearsal,
                             const std::string& placement, std::size_t questions_max);

// Who listens while a slice is played.
struct Player {
  std::function<void(const Question&)> on_cart;    // an order with one of its products left out
  std::function<void(const Question&)> on_page;    // a product, and the one looked at next
  std::function<bool(std::size_t event)> goes_on;  // asked before each event: false ends it
};

// Plays the slice through the rehearsal, and asks on the way, at the time and before it is known:
// orders of two products and more, and products looked at with one that follows in the session.
// Evenly drawn, about `questions_max` of each.
void play(const Slice& slice, Rehearsal& rehearsal, std::size_t questions_max,
          const Player& player);

}  // namespace vitrine::rehearsal
