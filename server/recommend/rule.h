// A merchandiser's word on what a placement shows: pin, boost or bury, while it is valid.
//
// A rule orders what may be shown; it never brings back what a filter took away. Thread-safe
// (values).
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/recommend/product_condition.h"
#include "server/segments/audience.h"

namespace vitrine::recommend {

enum class RuleKind {
  pin,    // to a place of the list
  boost,  // factor above 1
  bury    // factor below 1
};

struct Rule {
  static constexpr float k_factor_max = 100;
  static constexpr std::size_t k_position_max = 200;  // the longest answer
  static constexpr std::size_t k_id_bytes_max = 64;

  std::string id;  // unique in its placement; answers with `explain` say which rules did what
  RuleKind kind = RuleKind::boost;
  ProductCondition when = {};
  segments::Audience audience = {};  // for whom, and when; empty: for everybody
  std::size_t position = 1;          // of a pin: the place in the list, from 1
  float factor = 1;  // of a boost or bury: scores are multiplied by it, in (0, k_factor_max]
  std::optional<TimeMs> valid_from_ms = {};
  std::optional<TimeMs> valid_until_ms = {};  // exclusive

  bool is_valid(TimeMs now_ms) const {
    return (!valid_from_ms || now_ms >= *valid_from_ms) &&
           (!valid_until_ms || now_ms < *valid_until_ms);
  }
};

constexpr std::size_t k_rules_max = 50;   // of a placement
constexpr std::size_t k_boosts_max = 20;  // of a request

// InvalidArgument names the rule as `field`[its place], the value and what is allowed: ids that are
// empty or not unique, a pin of everything or past k_position_max, a factor out of range, a window
// that ends before it begins, a condition that is none.
absl::Status validate(std::span<const Rule> rules, std::string_view field, std::size_t rules_max);

}  // namespace vitrine::recommend
