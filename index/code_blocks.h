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
class QueryCode {
 public:
  explicit QueryCode(std::span<const float> query);

  CodedQuery above(float threshold) const { return {codes_.data(), start_, threshold}; }
  float norm() const { return norm_; }  // of the codes

 private:
  std::vector<std::int8_t> codes_;
  std::int32_t start_ = 0;
  float norm_ = 0;
};

class CodeBlocks {
 public:
  // Every so many blocks begin with a bound on what is still to come.
  static constexpr std::size_t k_bound_blocks = 16;

  explicit CodeBlocks(const VectorTable& vectors);

  std::size_t count() const { return count_; }
  std::size_t quads() const { return quads_; }  // dimensions in fours, rounded up
  const std::uint8_t* block(std::size_t number) const { return bytes_.get() + number * size_; }

  // No row of this block or a later one scores above this times the norm of the query's codes. For
  // a multiple of k_bound_blocks.
  float norm_from(std::size_t number) const { return norms_from_[number / k_bound_blocks]; }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };

  // Returns the norm of the row as coded.
  float code_row(const float* values, std::size_t dimension, std::size_t row);

  std::size_t count_;
  std::size_t quads_;
  std::size_t size_;  // bytes of a block
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::vector<float> norms_from_;
};

}  // namespace vitrine::index
