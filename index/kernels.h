// The inner loops of the exact scan, one set an instruction set, chosen at run time.
//
// All sets add in the same order (16 partial sums, halved four times) and without fused
// multiply-add: a score is the same to the last bit on every machine, and so is a ranking.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine::index {

// Rows and queries are padded with zeros to a multiple of this many floats and aligned to it.
constexpr std::size_t k_lane_floats = 16;
constexpr std::size_t k_block_rows = 64;

struct Kernels {
  std::string_view name;

  // scores[i] = query . (rows + i * stride) for i < count.
  // query, rows  64-byte aligned, `stride` floats each, a multiple of k_lane_floats
  // count        at most k_block_rows
  void (*score_block)(const float* query, const float* rows, std::size_t stride, std::size_t count,
                      float* scores);

  // scores[i] = query . (rows + picks[i] * stride), otherwise as score_block.
  void (*score_picks)(const float* query, const float* rows, std::size_t stride,
                      const std::uint32_t* picks, std::size_t count, float* scores);

  // Bit i is set where scores[i] >= threshold; reads k_block_rows scores.
  std::uint64_t (*at_least)(const float* scores, float threshold);
};

// The sets this machine can run, slowest first; the first is plain C++ and judges the others.
std::span<const Kernels> supported_kernels();

// The fastest of them.
const Kernels& best_kernels();

}  // namespace vitrine::index
