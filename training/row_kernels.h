// The inner loops of the row solvers over raw floats, compiled for several instruction sets and
// chosen at run time.
//
// Z is `count` rows of `stride` floats, one after the other; strides are multiples of 16 floats,
// padded with 0. Pointers need no alignment. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine::training {

struct RowKernels {
  // Systems that solve_lanes() solves at once, whatever the registers hold.
  static constexpr std::size_t k_lanes = 16;
  // gram_lane() reads fewer than this many rows past `count`, whatever they hold.
  static constexpr std::size_t k_row_padding = 4;

  const char* instruction_set;  // "avx512", "avx2" or "portable"

  // Row k of Z = roots[k] * scale * row columns[k] of the table, number by number.
  void (*gather)(float* z, const float* table, const std::uint32_t* columns, const float* roots,
                 std::size_t count, const float* scale, std::size_t stride);

  // y += Z' weights.
  void (*add_rows)(float* y, const float* z, const float* weights, std::size_t count,
                   std::size_t stride);

  // Improves x by `steps` steps of conjugate gradients on (I + Z'Z) x = Z' targets. `scratch` has
  // 3 * stride floats.
  void (*conjugate_gradient)(float* x, const float* z, const float* targets, std::size_t count,
                             std::size_t stride, std::size_t steps, float* scratch);

  // The lower triangle of ZZ', row by row, each number to its place among k_lanes: element e goes
  // to s[e * k_lanes].
  void (*gram_lane)(float* s, const float* z, std::size_t count, std::size_t stride);

  // Solves k_lanes systems of the same order in place of x: number i of system l is
  // x[i * k_lanes + l]. The lower triangles in `s`, interleaved as gram_lane() does, must be
  // positive definite and are used up.
  void (*solve_lanes)(float* s, float* x, std::size_t order);

  // target = rows * matrix, for `count` rows and a matrix of stride x stride. They do not overlap.
  void (*multiply)(float* target, const float* rows, std::size_t count, const float* matrix,
                   std::size_t stride);
};

// The fastest set that this machine runs.
const RowKernels& row_kernels();

// Every set that this machine runs, the portable one, which judges the others, first.
std::span<const RowKernels* const> supported_row_kernels();

}  // namespace vitrine::training
