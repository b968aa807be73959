// Shares of whole minor units: half-up where one share is taken, by largest remainder where an
// amount is divided.
//
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/money.h"

namespace vitrine::coupons {

// amount * part / whole, halves up. amount and part are >= 0, whole > 0; the result must fit.
Money share_of(Money amount, std::int64_t part, std::int64_t whole);

// `total` divided by the weights, so that the parts sum to it exactly: each gets its share rounded
// down, what is left goes one by one to those that lost most by that, of equal ones to the first.
// No part is above its weight. Precondition, checked: 0 <= total <= the sum of the weights, which
// are >= 0.
std::vector<Money> spread(Money total, std::span<const Money> weights);

}  // namespace vitrine::coupons
