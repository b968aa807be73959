#include "server/live_model/category_vectors.h"

#include "base/check.h"

namespace vitrine::live_model {

CategoryVectors::CategoryVectors(std::size_t dimension, std::size_t row_count)
    : dimension_(dimension), category_of_row_(row_count, k_none) {}

void CategoryVectors::place(std::uint32_t row, std::string_view category,
                            std::span<const float> vector) {
  CHECK(row < category_of_row_.size() && vector.size() == dimension_, "the row is the model's");
  std::uint32_t next = k_none;
  if (!category.empty()) {
    const auto found = numbers_.find(category);
    next = found != numbers_.end() ? found->second : static_cast<std::uint32_t>(sums_.size());
    if (found == numbers_.end()) {
      numbers_.emplace(category, next);
      sums_.push_back({std::vector<double>(dimension_), 0});
    }
  }
  std::uint32_t& current = category_of_row_[row];
  if (current == next) return;
  if (current != k_none) add(sums_[current], vector, -1);
  if (next != k_none) add(sums_[next], vector, 1);
  current = next;
}

bool CategoryVectors::mean(std::string_view category, std::span<float> out) const {
  const auto found = numbers_.find(category);
  if (found == numbers_.end() || sums_[found->second].rows == 0) return false;
  const Sum& sum = sums_[found->second];
  for (std::size_t i = 0; i < dimension_; ++i) {
    out[i] = static_cast<float>(sum.values[i] / static_cast<double>(sum.rows));
  }
  return true;
}

void CategoryVectors::add(Sum& sum, std::span<const float> vector, double sign) const {
  for (std::size_t i = 0; i < dimension_; ++i) {
    sum.values[i] += sign * static_cast<double>(vector[i]);
  }
  sign > 0 ? ++sum.rows : --sum.rows;
}

}  // namespace vitrine::live_model
