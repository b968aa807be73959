#include "index/code_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace vitrine::index {
namespace {

constexpr float k_code_max = 127;
constexpr std::size_t k_huge_page = std::size_t{2} << 20;
// A sum of squares in single precision, and a score, may come out this much too small.
constexpr float k_rounding = 1.0001F;

std::size_t quads_of(std::size_t dimension) { return (dimension + 3) / 4; }

float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// What a value is multiplied with to be a code. In double: the inverse of the smallest float is
// beyond the largest.
double code_per_value(float largest) {
  return largest == 0 ? 0 : static_cast<double>(k_code_max) / static_cast<double>(largest);
}

std::int32_t code_of(float value, double per_value) {
  return static_cast<std::int32_t>(std::lrint(static_cast<double>(value) * per_value));
}

// Memory in huge pages where the system gives them: a scan in small ones waits for the page tables.
std::uint8_t* allocate(std::size_t bytes) {
  const std::size_t alignment = bytes < k_huge_page ? std::size_t{64} : k_huge_page;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, std::max(rounded, alignment));
  CHECK(memory != nullptr, "there is memory for the codes of all rows");
  if (alignment == k_huge_page) madvise(memory, rounded, MADV_HUGEPAGE);
  return static_cast<std::uint8_t*>(memory);
}

}  // namespace

QueryCode::QueryCode(std::span<const float> query) : codes_(quads_of(query.size()) * 4) {
  const double per_value = code_per_value(largest_of(query));
  float squares = 0;
  for (std::size_t j = 0; j < query.size(); ++j) {
    const std::int32_t code = code_of(query[j], per_value);
    codes_[j] = static_cast<std::int8_t>(code);
    start_ -= 128 * code;
    squares += static_cast<float>(code * code);
  }
  norm_ = std::sqrt(squares) * k_rounding;
}

CodeBlocks::CodeBlocks(const VectorTable& vectors)
    : count_((vectors.row_count + k_block_rows - 1) / k_block_rows),
      quads_(quads_of(vectors.dimension)),
      size_(k_block_rows * (quads_ * 4 + sizeof(float))),
      bytes_(allocate(count_ * size_)),
      norms_from_((count_ + k_bound_blocks - 1) / k_bound_blocks, 0.0F) {
  std::memset(bytes_.get(), 0, count_ * size_);
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    float& norm = norms_from_[row / (k_block_rows * k_bound_blocks)];
    norm = std::max(
        norm, code_row(vectors.values + row * vectors.stride, vectors.dimension, row) * k_rounding);
  }
  for (std::size_t i = norms_from_.size(); i-- > 1;) {
    norms_from_[i - 1] = std::max(norms_from_[i - 1], norms_from_[i]);
  }
}

float CodeBlocks::code_row(const float* values, std::size_t dimension, std::size_t row) {
  const std::size_t in_block = row % k_block_rows;
  std::uint8_t* block = bytes_.get() + row / k_block_rows * size_;
  const float largest = largest_of({values, dimension});
  const double per_value = code_per_value(largest);
  float squares = 0;
  for (std::size_t j = 0; j < dimension; ++j) {
    const std::int32_t code = code_of(values[j], per_value);
    block[(j / 4) * k_block_rows * 4 + in_block * 4 + j % 4] =
        static_cast<std::uint8_t>(code + 128);
    squares += static_cast<float>(code * code);
  }
  const float scale = largest / k_code_max;
  std::memcpy(block + quads_ * k_block_rows * 4 + in_block * sizeof(float), &scale, sizeof(scale));
  return scale * std::sqrt(squares);
}

void CodeBlocks::Free::operator()(std::uint8_t* bytes) const { std::free(bytes); }

}  // namespace vitrine::index
