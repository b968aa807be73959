// Calendar months, in UTC. Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace vitrine::segments {

// The beginnings of `count` months, ascending, and `as_of_ms` behind them: the last month is the
// one that the moment before it is in.
std::vector<TimeMs> bounds_of_months(TimeMs as_of_ms, std::size_t count);

}  // namespace vitrine::segments
