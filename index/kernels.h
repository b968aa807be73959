// The inner loops of all scans, one set an instruction set, chosen at run time.
//
// All sets add in the same order (16 partial sums, halved four times) and without fused
// multiply-add, or in whole numbers: a score is the same to the last bit on every machine, and so
// is a ranking. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine::index {

// Rows and queries are padded with zeros to a multiple of this many floats and aligned to it.
constexpr std::size_t k_lane_floats = 16;
constexpr std::size_t k_block_rows = 64;

constexpr std::size_t padded_stride(std::size_t dimension) {
  return (dimension + k_lane_floats - 1) / k_lane_floats * k_lane_floats;
}

// A query of whole numbers, to be scored against blocks of 64 coded rows.
//
// A block holds, for every eight dimensions, 256 bytes: four bytes of row 0, four of row 1, and so
// on. The lower halves of a row's four bytes are its first four numbers, the upper halves the other
// four, each of 0 to 15. Behind them come 64 floats, the scales of the rows: a row is about
// scale * (number - 7.5).
struct CodedQuery {
  const std::int8_t* codes;  // eight for each eight dimensions; zeros pad the last eight
  std::int32_t start;        // what a sum begins with: -7.5 * sum of codes, which makes numbers of
                             // both signs of a row's, and the slack
  float threshold;           // only scores above it are wanted
};

struct Kernels {
  static constexpr std::size_t k_coded_queries_max = 8;

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

  // Scores a block of coded rows for several queries at once: bit i of wanted[q] is set where
  // scores[q * 64 + i] = scale of row i * (start of query q + numbers of row i . codes of query q)
  // is above the query's threshold. Where no bit is set, the scores of that query may be left
  // unwritten.
  //
  // block     64-byte aligned
  // eights    dimensions in eights, rounded up
  // count     at most k_coded_queries_max
  void (*score_coded)(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                      std::size_t count, float* scores, std::uint64_t* wanted);

  // How many bits are set in both a and b, `words` words each.
  std::size_t (*count_common)(const std::uint64_t* a, const std::uint64_t* b, std::size_t words);
};

// The sets this machine can run, slowest first; the first is plain C++ and judges the others.
std::span<const Kernels> supported_kernels();

// The fastest of them.
const Kernels& best_kernels();

}  // namespace vitrine::index
