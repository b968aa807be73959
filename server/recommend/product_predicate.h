// A question about a product, made ready once and asked often: what filters and rules compile to.
//
// It reads the product and the time alone, not what an expression says of the visit, so that its
// answers can be kept for a whole catalog, see assortment.h. Thread-safety: immutable; const
// methods may run at the same time from any thread.
#pragma once

#include <memory>
#include <string>

#include "server/recommend/product_condition.h"

namespace vitrine::recommend {

class ProductPredicate {
 public:
  virtual ~ProductPredicate() = default;
  virtual bool holds(const Product& product, TimeMs now_ms) const = 0;
};

// As holds() of product_condition.h answers.
std::shared_ptr<const ProductPredicate> compile(ProductCondition condition);

// Appends a text that is the same for equal conditions alone, and as long as their answers are.
void append_key(const ProductCondition& condition, TimeMs now_ms, std::string& key);

}  // namespace vitrine::recommend
