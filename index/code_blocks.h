// The coded rows of a scan, in the layout that kernels.h describes, and the coding of a query.
//
// Immutable once built. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/kernels.h"
#include "index/product_index.h"

namespace vitrine::index {

// A query coded for scanning. Scores are in units of its scale, which no comparison needs.
//
// Numbers of 4 bits are wrong by up to a half, in every dimension another way, so that a sum of
// products is wrong by about the norm of the query's codes over the root of 12. A row is therefore
// scored with what it may have lost added: four times as much, which one row of 30,000 exceeds.
class QueryCode {
 public:
  explicit QueryCode(std::span<const float> query);

  // Rows whose score, with `slack` times their scale added, is above `threshold`.
  CodedQuery above(float threshold) const { return {codes_.data(), start_, threshold}; }
  float norm() const { return norm_; }    // of the codes
  float slack() const { return slack_; }  // what a row of scale 1 may have lost by coding

 private:
  std::vector<std::int8_t> codes_;
  std::int32_t start_ = 0;
  float norm_ = 0;
  float slack_ = 0;
};

class CodeBlocks {
 public:
  // Every so many blocks begin with a bound on what is still to come.
  static constexpr std::size_t k_bound_blocks = 16;

  explicit CodeBlocks(const VectorTable& vectors);

  std::size_t count() const { return count_; }
  std::size_t eights() const { return eights_; }  // dimensions in eights, rounded up
  const std::uint8_t* block(std::size_t number) const { return bytes_.get() + number * size_; }

  // The scales of the 64 rows of a block.
  const float* scales(std::size_t number) const;

  // No row of this block or a later one scores above this times the norm of the query's codes, with
  // its slack. For a multiple of k_bound_blocks.
  float norm_from(std::size_t number) const { return norms_from_[number / k_bound_blocks]; }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };

  // Returns the row's part in norm_from. `values` are rotated.
  float code_row(std::span<const float> values, std::size_t row);

  std::size_t count_;
  std::size_t eights_;
  std::size_t size_;  // bytes of a block
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::vector<float> norms_from_;
};

}  // namespace vitrine::index
