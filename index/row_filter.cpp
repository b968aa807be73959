#include "index/row_filter.h"

#include "base/check.h"

namespace vitrine::index {

RowFilter RowFilter::all(std::size_t row_count) { return ~none(row_count); }

RowFilter RowFilter::none(std::size_t row_count) {
  RowFilter filter;
  filter.grow(row_count);
  return filter;
}

std::size_t RowFilter::count() const {
  std::size_t total = 0;
  for (const std::uint64_t word : words_) total += static_cast<std::size_t>(std::popcount(word));
  return total;
}

void RowFilter::set(std::uint32_t row) {
  CHECK(row < row_count_, "the row belongs to the filter");
  words_[row / k_word_bits] |= std::uint64_t{1} << (row % k_word_bits);
}

void RowFilter::clear(std::uint32_t row) {
  CHECK(row < row_count_, "the row belongs to the filter");
  words_[row / k_word_bits] &= ~(std::uint64_t{1} << (row % k_word_bits));
}

void RowFilter::grow(std::size_t row_count) {
  CHECK(row_count >= row_count_, "a filter only grows");
  row_count_ = row_count;
  words_.resize((row_count + k_word_bits - 1) / k_word_bits, 0);
}

RowFilter& RowFilter::operator&=(const RowFilter& other) {
  CHECK(row_count_ == other.row_count_, "both filters are made for the same snapshot");
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

RowFilter& RowFilter::operator|=(const RowFilter& other) {
  CHECK(row_count_ == other.row_count_, "both filters are made for the same snapshot");
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

RowFilter RowFilter::operator~() const {
  RowFilter inverse = *this;
  for (std::uint64_t& word : inverse.words_) word = ~word;
  inverse.clear_past_the_end();
  return inverse;
}

std::uint64_t RowFilter::bits_from(std::size_t first_row) const {
  const std::size_t word = first_row / k_word_bits;
  const std::size_t shift = first_row % k_word_bits;
  if (word >= words_.size()) return 0;
  const std::uint64_t low = words_[word] >> shift;
  if (shift == 0 || word + 1 == words_.size()) return low;
  return low | (words_[word + 1] << (k_word_bits - shift));
}

void RowFilter::clear_past_the_end() {
  const std::size_t used = row_count_ % k_word_bits;
  if (used != 0) words_.back() &= (std::uint64_t{1} << used) - 1;
}

}  // namespace vitrine::index
