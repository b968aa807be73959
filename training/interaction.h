// One thing somebody did with one product, as the trainer takes it in.
//
// Thread-safe (values). The texts are read during the call that takes the interaction, not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "model/event.h"

namespace vitrine::training {

struct Interaction {
  std::string_view user;     // any text that names one person, after merge; empty: nobody known
  std::string_view product;  // never empty
  std::string_view order;    // what was bought together; empty: not part of an order
  EventType type = EventType::purchase;
  TimeMs time_ms = 0;
  std::string_view session = {};  // what was looked at in one go; empty: not known
  std::string_view market = {};   // empty: not known
  std::int64_t quantity = 1;      // pieces of a purchase, or that a refund brings back
  std::optional<float> weight;    // in place of the type's weight; finite and above 0
};

}  // namespace vitrine::training
