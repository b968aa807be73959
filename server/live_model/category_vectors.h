// The mean vector of a model's products in each category: where a product the model does not know
// most likely lies.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/string_map.h"

namespace vitrine::live_model {

class CategoryVectors {
 public:
  CategoryVectors(std::size_t dimension, std::size_t row_count);

  // Takes the row out of the category it was in and puts it into this one; empty: into none.
  // vector  the row's, `dimension` floats, the same at every call
  void place(std::uint32_t row, std::string_view category, std::span<const float> vector);

  // False, and nothing written, when no row is in the category.
  bool mean(std::string_view category, std::span<float> out) const;

 private:
  struct Sum {
    std::vector<double> values;
    std::size_t rows = 0;
  };
  static constexpr std::uint32_t k_none = 0xFFFFFFFF;

  void add(Sum& sum, std::span<const float> vector, double sign) const;

  std::size_t dimension_;
  StringMap<std::uint32_t> numbers_;
  std::vector<Sum> sums_;                       // by the category's number
  std::vector<std::uint32_t> category_of_row_;  // k_none where there is none
};

}  // namespace vitrine::live_model
