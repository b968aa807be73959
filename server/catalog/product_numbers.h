// Product ids to dense numbers and back, for as long as the process lives.
//
// Numbers are given in the order ids are first seen and never taken back. Thread-safe; reading does
// not wait for long.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "model/ids.h"

namespace vitrine::catalog {

class ProductNumbers {
 public:
  ProductNumbers();
  ~ProductNumbers();
  ProductNumbers(const ProductNumbers&) = delete;
  ProductNumbers& operator=(const ProductNumbers&) = delete;

  ProductNumber number_of(std::string_view product_id);  // gives a new one when it must
  std::optional<ProductNumber> find(std::string_view product_id) const;
  std::string_view id_of(ProductNumber number) const;  // valid as long as this object
  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::catalog
