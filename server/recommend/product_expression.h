// A condition on products written as text: price < 50 && in_stock.
//
// Names and types are checked when it is read, see docs/expressions.md. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/product.h"
#include "server/expressions/program.h"

namespace vitrine::recommend {

// What an expression can say about a product.
const expressions::Schema& product_schema();

class ProductExpression {
 public:
  // The time that days_since counts from goes on in steps of this, so that answers for a whole
  // catalog can be kept.
  static constexpr TimeMs k_time_step_ms = k_hour_ms;

  ProductExpression() = default;  // empty: holds for every product
  // InvalidArgument names the column and what was expected there.
  static absl::StatusOr<ProductExpression> parse(std::string_view text);

  bool is_empty() const { return program_ == nullptr; }
  const std::string& text() const { return text_; }  // as it was written
  bool holds(const Product& product, TimeMs now_ms) const;
  // The step of time that the answers at `now_ms` are good for; 0 when they do not depend on time.
  TimeMs step_at(TimeMs now_ms) const;

  friend bool operator==(const ProductExpression& a, const ProductExpression& b) {
    return a.text_ == b.text_;
  }

 private:
  std::string text_;
  std::shared_ptr<const expressions::Program> program_;
};

}  // namespace vitrine::recommend
