// A condition on products written as text: price < 50 && brand != user.last_brand.
//
// What it says of products alone can be kept for a whole catalog; what it says of the visit, or of
// both, is for one request. A condition holds for a product when all three do.
// Names and types are checked when it is read, see docs/expressions.md. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/product.h"
#include "server/expressions/tree.h"
#include "server/recommend/product_subject.h"
#include "server/segments/audience.h"

namespace vitrine::recommend {

// What an expression can say about a product, a person and a situation: the names of all three.
const expressions::Schema& request_schema();

class ProductExpression {
 public:
  // The time that days_since counts from goes on in steps of this, so that answers for a whole
  // catalog can be kept.
  static constexpr TimeMs k_time_step_ms = k_hour_ms;

  ProductExpression() = default;  // empty: holds for every product
  // InvalidArgument names the column and what was expected there.
  static absl::StatusOr<ProductExpression> parse(std::string_view text);

  bool is_empty() const { return parts_ == nullptr; }
  const std::string& text() const { return text_; }  // as it was written

  // What it says of products alone.
  bool holds(const Product& product, TimeMs now_ms) const;
  // The same as a tree; null when it says nothing of them.
  const expressions::Node* product_tree() const;
  // The same as text, for keys.
  std::string_view product_text() const;
  // The step of time that the answers at `now_ms` are good for; 0 when they do not depend on time.
  TimeMs step_at(TimeMs now_ms) const;

  // Whether it says anything of the visit; if so, what it says of the visit alone, and of both.
  bool asks_about_visit() const;
  bool allows(const segments::PersonSubject& person,
              const segments::SituationSubject& situation) const;
  bool allows(const Product& product, const segments::PersonSubject& person,
              const segments::SituationSubject& situation) const;
  // Whose keys in_segment(...) names.
  const std::vector<std::string>& segments() const;

  friend bool operator==(const ProductExpression& a, const ProductExpression& b) {
    return a.text_ == b.text_;
  }

 private:
  struct Parts;
  static absl::StatusOr<Parts> parts_of(const expressions::Node& tree);

  std::string text_;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace vitrine::recommend
