// One bit a row: which rows of one index snapshot an answer may contain.
//
// A filter belongs to the snapshot it was made for: combining filters of different sizes is a bug
// of the caller and stops the process. Thread-safety: const methods may run at the same time from
// any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::index {

class RowFilter {
 public:
  RowFilter() = default;  // no rows
  static RowFilter all(std::size_t row_count);
  static RowFilter none(std::size_t row_count);

  std::size_t row_count() const { return row_count_; }
  std::size_t count() const;
  bool contains(std::uint32_t row) const {
    return row < row_count_ && ((words_[row / k_word_bits] >> (row % k_word_bits)) & 1U) != 0;
  }

  void set(std::uint32_t row);
  void clear(std::uint32_t row);
  // The bits of rows first_row .. first_row + 63, which begin a word; those past the end are lost.
  void put_word(std::size_t first_row, std::uint64_t bits) {
    const std::size_t word = first_row / k_word_bits;
    if (word >= words_.size()) return;
    const std::size_t left = row_count_ - word * k_word_bits;
    words_[word] = left >= k_word_bits ? bits : bits & ((std::uint64_t{1} << left) - 1);
  }
  // New rows are not in the filter.
  void grow(std::size_t row_count);

  RowFilter& operator&=(const RowFilter& other);
  RowFilter& operator|=(const RowFilter& other);
  RowFilter operator~() const;
  friend bool operator==(const RowFilter&, const RowFilter&) = default;

  // The bits of rows first_row .. first_row + 63, the first one lowest; zero past the end.
  std::uint64_t bits_from(std::size_t first_row) const;

  // All bits, 64 rows a word, the first row lowest; zero past the end.
  std::span<const std::uint64_t> words() const { return words_; }

  // Calls visit(row) for every row in the filter, in rising order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
        visit(static_cast<std::uint32_t>(word * k_word_bits +
                                         static_cast<std::size_t>(std::countr_zero(bits))));
      }
    }
  }

 private:
  static constexpr std::size_t k_word_bits = 64;

  void clear_past_the_end();

  std::size_t row_count_ = 0;
  std::vector<std::uint64_t> words_;  // bits past row_count_ are zero
};

}  // namespace vitrine::index
