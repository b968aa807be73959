#include "server/recommend/rule_stage.h"

#include <algorithm>

#include "server/recommend/visit.h"

namespace vitrine::recommend {

CompiledRules compile(std::span<const Rule> rules) {
  CompiledRules compiled;
  compiled.reserve(rules.size());
  for (const Rule& rule : rules) compiled.push_back({.rule = &rule, .when = compile(rule.when)});
  return compiled;
}

RuleStage::RuleStage(const Context& context, const CompiledRules& placement)
    : context_(context), own_(compile(context.request.boosts)) {
  take(placement);
  take(own_);
  std::ranges::stable_sort(pins_, {}, [](const CompiledRule& pin) { return pin.rule->position; });
}

void RuleStage::take(const CompiledRules& rules) {
  for (const CompiledRule& rule : rules) {
    if (!rule.rule->is_valid(context_.now_ms)) continue;
    const Visit* const visit = context_.visit.get();
    if (visit != nullptr &&
        !(visit->holds(rule.rule->audience) && visit->allows(rule.rule->when.expression))) {
      continue;
    }
    (rule.rule->kind == RuleKind::pin ? pins_ : factors_).push_back(rule);
  }
}

bool RuleStage::holds(const CompiledRule& rule, ProductNumber product) const {
  const Product* const known = context_.catalog->find(product);
  return known != nullptr && rule.when->holds(*known, context_.now_ms) &&
         (context_.visit == nullptr || context_.visit->allows(rule.rule->when.expression, *known));
}

void RuleStage::rescore(Pool& pool) const {
  if (factors_.empty()) return;
  pool.rescore([&](const Pool::Entry& entry) {
    float factor = 1;
    for (const CompiledRule& rule : factors_) {
      if (holds(rule, entry.product)) factor *= rule.rule->factor;
    }
    return entry.score * factor;
  });
}

std::vector<std::string> RuleStage::names(ProductNumber product) const {
  std::vector<std::string> names;
  for (const CompiledRule& rule : factors_) {
    if (holds(rule, product)) names.push_back(rule.rule->id);
  }
  return names;
}

}  // namespace vitrine::recommend
