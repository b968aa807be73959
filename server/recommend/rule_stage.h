// What the rules of a placement and the boosts of a request do to one answer.
//
// A rule that is not valid now does nothing; several that hold for one product multiply. Thread-
// safety: CompiledRules is immutable; a RuleStage belongs to one request and one thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "server/recommend/pool.h"
#include "server/recommend/product_predicate.h"
#include "server/recommend/rule.h"

namespace vitrine::recommend {

struct CompiledRule {
  const Rule* rule;
  std::shared_ptr<const ProductPredicate> when;
};

using CompiledRules = std::vector<CompiledRule>;

// The rules outlive what is made of them.
CompiledRules compile(std::span<const Rule> rules);

class RuleStage {
 public:
  // `placement` outlives the stage.
  RuleStage(const Context& context, const CompiledRules& placement);

  // Multiplies the scores of what boosts and buries hold for.
  void rescore(Pool& pool) const;
  // By position; of one position in the order of the rules.
  std::span<const CompiledRule> pins() const { return pins_; }
  // Whether a pin's condition, or any rule's, holds for the product.
  bool holds(const CompiledRule& rule, ProductNumber product) const;
  // The ids of the boosts and buries that hold for the product.
  std::vector<std::string> names(ProductNumber product) const;

 private:
  void take(const CompiledRules& rules);

  const Context& context_;
  CompiledRules own_;  // of the request
  std::vector<CompiledRule> factors_;
  std::vector<CompiledRule> pins_;
};

}  // namespace vitrine::recommend
