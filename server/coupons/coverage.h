// Which products an offer is for: those of an expression, those of a list, or those of both.
//
// Thread-safe (values); copies share the list.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/product.h"
#include "server/catalog/catalog.h"
#include "server/recommend/product_expression.h"

namespace vitrine::coupons {

class Coverage {
 public:
  static constexpr std::size_t k_ids_max = 20'000;
  static constexpr std::size_t k_id_bytes_max = 256;

  Coverage() = default;                              // empty: all products
  Coverage(recommend::ProductExpression expression)  // NOLINT(google-explicit-constructor)
      : expression_(std::move(expression)) {}

  bool is_empty() const { return expression_.is_empty() && !ids_; }
  bool holds(const Product& product, TimeMs now_ms) const {
    return lists(product.product_id) && expression_.holds(product, now_ms);
  }
  // The catalog is asked only for what the expression looks at; a product that it does not know is
  // covered by a list alone.
  bool covers(std::string_view product_id, const catalog::Catalog& catalog, TimeMs now_ms) const;

  friend bool operator==(const Coverage& a, const Coverage& b) {
    return a.expression_ == b.expression_ && a.ids() == b.ids();
  }
  const std::string& text() const { return expression_.text(); }
  // Ascending, each once; empty where there is no list.
  const std::vector<std::string>& ids() const;
  // An empty list is no list.
  void only(std::vector<std::string> ids);

 private:
  bool lists(std::string_view product_id) const;

  recommend::ProductExpression expression_;
  std::shared_ptr<const std::vector<std::string>> ids_;
};

}  // namespace vitrine::coupons
