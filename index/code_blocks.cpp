#include "index/code_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/random.h"

namespace vitrine::index {
namespace {

constexpr float k_row_code_max = 7.5F;
constexpr float k_row_numbers = 16;
constexpr float k_query_code_max = 127;
// Four times the root of 1/12, the deviation of a number rounded to a whole one.
constexpr float k_slack_per_norm = 1.1547F;
constexpr std::size_t k_block_bytes_per_eight = k_block_rows * 4;
constexpr std::size_t k_huge_page = std::size_t{2} << 20;
// A sum of squares in single precision, and a score, may come out this much too small.
constexpr float k_rounding = 1.0001F;

std::size_t eights_of(std::size_t dimension) { return (dimension + 7) / 8; }

// Turns vectors so that no dimension stands out, which 4 bits would be too coarse for; inner
// products stay as they are. A Walsh-Hadamard transform of random signs, for each power of two that
// the dimensions are the sum of (Ailon and Chazelle, 2009, "The fast Johnson-Lindenstrauss
// transform").
void rotate(std::span<float> values) {
  for (std::size_t j = 0; j < values.size(); ++j) {
    if ((mix64(j) & 1U) != 0) values[j] = -values[j];
  }
  while (!values.empty()) {
    const std::size_t size = std::bit_floor(values.size());
    for (std::size_t half = 1; half < size; half *= 2) {
      for (std::size_t first = 0; first < size; first += 2 * half) {
        for (std::size_t j = first; j < first + half; ++j) {
          const float sum = values[j] + values[j + half];
          values[j + half] = values[j] - values[j + half];
          values[j] = sum;
        }
      }
    }
    const float norm = 1 / std::sqrt(static_cast<float>(size));
    for (float& value : values.first(size)) value *= norm;
    values = values.subspan(size);
  }
}

float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// What a value is multiplied with to be a code. In double: the inverse of the smallest float is
// beyond the largest.
double code_per_value(float largest, float code_max) {
  return largest == 0 ? 0 : static_cast<double>(code_max) / static_cast<double>(largest);
}

std::int32_t code_of(float value, double per_value) {
  return static_cast<std::int32_t>(std::lrint(static_cast<double>(value) * per_value));
}

std::vector<double> mean_of(const VectorTable& vectors) {
  std::vector<double> mean(vectors.dimension, 0);
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    const float* values = vectors.values + row * vectors.stride;
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += static_cast<double>(values[j]);
  }
  const auto rows = static_cast<double>(std::max<std::size_t>(vectors.row_count, 1));
  for (double& middle : mean) middle /= rows;
  return mean;
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

QueryCode::QueryCode(std::span<const float> query) : codes_(eights_of(query.size()) * 8) {
  std::vector<float> values(query.begin(), query.end());
  rotate(values);
  const double per_value = code_per_value(largest_of(values), k_query_code_max);
  std::int32_t sum = 0;
  float squares = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    const std::int32_t code = code_of(values[j], per_value);
    codes_[j] = static_cast<std::int8_t>(code);
    sum += code;
    squares += static_cast<float>(code * code);
  }
  norm_ = std::sqrt(squares) * k_rounding;
  slack_ = k_slack_per_norm * norm_;
  start_ = static_cast<std::int32_t>(slack_ - k_row_code_max * static_cast<float>(sum));
}

CodeBlocks::CodeBlocks(const VectorTable& vectors)
    : count_((vectors.row_count + k_block_rows - 1) / k_block_rows),
      eights_(eights_of(vectors.dimension)),
      size_(eights_ * k_block_bytes_per_eight + k_block_rows * sizeof(float)),
      bytes_(allocate(count_ * size_)),
      norms_from_((count_ + k_bound_blocks - 1) / k_bound_blocks, 0.0F) {
  std::memset(bytes_.get(), 0, count_ * size_);
  const std::vector<double> mean = mean_of(vectors);
  std::vector<float> values(vectors.dimension);
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    std::transform(mean.begin(), mean.end(), vectors.values + row * vectors.stride, values.begin(),
                   [](double middle, float value) { return static_cast<float>(value - middle); });
    rotate(values);
    float& norm = norms_from_[row / (k_block_rows * k_bound_blocks)];
    norm = std::max(norm, code_row(values, row) * k_rounding);
  }
  for (std::size_t i = norms_from_.size(); i-- > 1;) {
    norms_from_[i - 1] = std::max(norms_from_[i - 1], norms_from_[i]);
  }
}

const float* CodeBlocks::scales(std::size_t number) const {
  return reinterpret_cast<const float*>(block(number) + eights_ * k_block_bytes_per_eight);
}

float CodeBlocks::code_row(std::span<const float> values, std::size_t row) {
  const std::size_t in_block = row % k_block_rows;
  std::uint8_t* block = bytes_.get() + row / k_block_rows * size_;
  const float largest = largest_of(values);
  const double per_value = code_per_value(largest, k_row_code_max);
  float squares = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double place = static_cast<double>(values[j]) * per_value + k_row_numbers / 2;
    const auto number = static_cast<std::uint32_t>(std::clamp(place, 0.0, k_row_numbers - 1.0));
    block[(j / 8) * k_block_bytes_per_eight + in_block * 4 + j % 4] |=
        static_cast<std::uint8_t>(number << (j % 8 / 4 * 4));
    const float code = static_cast<float>(number) - k_row_code_max;
    squares += code * code;
  }
  const float scale = largest / k_row_code_max;
  std::memcpy(block + eights_ * k_block_bytes_per_eight + in_block * sizeof(float), &scale,
              sizeof(scale));
  return scale * (std::sqrt(squares) + k_slack_per_norm);
}

void CodeBlocks::Free::operator()(std::uint8_t* bytes) const { std::free(bytes); }

}  // namespace vitrine::index
