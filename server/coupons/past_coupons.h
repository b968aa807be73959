// What another system gave and took before this one did: grants and redemptions to be taken over.
//
// Thread-safe (values).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "model/money.h"

namespace vitrine::coupons {

struct PastGrant {
  std::string offer = {};
  std::string user_id = {};
  std::string code = {};  // as it was given out; empty: one is made
  std::string round = {};
  TimeMs issued_ms = 0;
  TimeMs valid_until_ms = 0;  // not included
};

struct PastRedemption {
  std::string order_id = {};
  std::string offer = {};
  std::string user_id = {};  // empty: nobody was told
  std::string round = {};    // of the grant that was used, if there is one
  TimeMs time_ms = 0;
  Money discount = {};
  std::string currency = {};
};

constexpr std::size_t k_past_max = 2000;  // of one command

struct PastOutcome {
  bool is_new = false;       // else it was there already, or is refused
  std::string refusal = {};  // a sentence
};

}  // namespace vitrine::coupons
