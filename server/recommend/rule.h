// A merchandiser's word on what a placement shows: pin, boost or bury, while it is valid.
//
// A rule orders what may be shown; it never brings back what a filter took away. Thread-safe
// (values).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "server/recommend/product_condition.h"

namespace vitrine::recommend {

enum class RuleKind { pin, boost, bury };

struct Rule {
  std::string id;  // unique in its placement; answers with `explain` say which rules did what
  RuleKind kind = RuleKind::boost;
  ProductCondition when;
  std::size_t position = 1;  // of a pin: the place in the list, from 1
  float factor = 1;          // of a boost or bury: scores are multiplied by it, in (0, 100]
  std::optional<TimeMs> valid_from_ms;
  std::optional<TimeMs> valid_until_ms;  // exclusive

  bool is_valid(TimeMs now_ms) const {
    return (!valid_from_ms || now_ms >= *valid_from_ms) &&
           (!valid_until_ms || now_ms < *valid_until_ms);
  }
};

}  // namespace vitrine::recommend
