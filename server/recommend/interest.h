// What a person lately showed interest in, product by product, and how sure that makes us.
//
// Thread-safe (values).
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "model/confidence.h"
#include "model/event.h"
#include "model/ids.h"
#include "server/profiles/profile_book.h"

namespace vitrine::recommend {

struct Interest {
  ProductNumber product;
  EventType type = EventType::view;  // the strongest thing done with it
  float confidence = 0;              // c of the model's objective, from all counted events
  float session_confidence = 0;      // the same from this session alone; 0: not touched in it
  bool is_bought = false;            // ever, and not given back
};

// Which of an interest's two confidences counts.
using Confidence = float Interest::*;

// The latest events that say something; what lies further back says little about tomorrow.
constexpr std::size_t k_interest_events_max = 50;

// A session ends when nothing happens for this long.
constexpr TimeMs k_session_gap_ms = 30 * k_minute_ms;

// One interest a product, the latest touched first, from the last k_interest_events_max events that
// have a weight. A purchase that was given back is none.
//
// Ages count back from the person's newest event, so that somebody who stayed away for a year comes
// back as who they were. In the session every step back counts 0.8 times as much as the one after
// it. `session_key` names the session (0: unknown); without an event of it, it is what happened
// within k_session_gap_ms before the newest event, as long as that is not over at `now_ms`.
void collect_interests(const profiles::Profile& profile, const ConfidenceRule& rule,
                       std::uint64_t session_key, TimeMs now_ms, std::vector<Interest>& out);

}  // namespace vitrine::recommend
