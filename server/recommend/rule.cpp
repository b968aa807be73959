#include "server/recommend/rule.h"

#include <cmath>

#include "base/status.h"

namespace vitrine::recommend {
namespace {

absl::Status validate_rule(const Rule& rule, const std::string& field) {
  if (rule.id.empty() || rule.id.size() > Rule::k_id_bytes_max) {
    return invalid_argument("{}.id must have 1 to {} bytes, got {}", field, Rule::k_id_bytes_max,
                            rule.id.size());
  }
  if (rule.kind == RuleKind::pin) {
    if (rule.position < 1 || rule.position > Rule::k_position_max) {
      return invalid_argument("{}.position must be between 1 and {}, got {}", field,
                              Rule::k_position_max, rule.position);
    }
    if (rule.when.is_empty()) {
      return invalid_argument("{}.when must say what to pin; it is empty", field);
    }
  } else if (!(rule.factor > 0 && rule.factor <= Rule::k_factor_max)) {
    return invalid_argument("{}.factor must be above 0 and at most {}, got {}", field,
                            Rule::k_factor_max, rule.factor);
  }
  if (rule.valid_from_ms && rule.valid_until_ms && *rule.valid_from_ms >= *rule.valid_until_ms) {
    return invalid_argument("{}.valid_until must be after valid_from: {} is not after {}", field,
                            format_time(*rule.valid_until_ms), format_time(*rule.valid_from_ms));
  }
  return validate(rule.when, field + ".when");
}

}  // namespace

absl::Status validate(std::span<const Rule> rules, std::string_view field, std::size_t rules_max) {
  if (rules.size() > rules_max) {
    return invalid_argument("{} must have at most {} rules, got {}", field, rules_max,
                            rules.size());
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string name = fmt::format("{}[{}]", field, i);
    VITRINE_RETURN_IF_ERROR(validate_rule(rules[i], name));
    for (std::size_t other = 0; other < i; ++other) {
      if (rules[other].id == rules[i].id) {
        return invalid_argument("{}.id '{}' is already that of {}[{}]", name, rules[i].id, field,
                                other);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace vitrine::recommend
