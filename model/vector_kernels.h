// The inner loops of matrix factorization over raw floats, compiled for several instruction sets
// and chosen at run time.
//
// Every length is a multiple of 16 floats: rows are padded with 0 (model/aligned_floats.h).
// Pointers need no alignment. Thread-safe.
#pragma once

#include <cstddef>
#include <span>

namespace vitrine {

struct VectorKernels {
  const char* instruction_set;  // "avx512", "avx2" or "portable"

  // Inner product of two rows.
  float (*dot)(const float* a, const float* b, std::size_t length);

  // y[k] = inner product of x and row k, for `count` rows of `length` floats, one after the other.
  void (*multiply)(float* y, const float* rows, std::size_t count, const float* x,
                   std::size_t length);

  // y += scale * x.
  void (*add_scaled)(float* y, const float* x, float scale, std::size_t length);

  // target = row * factors * scale, number by number.
  void (*scaled_product)(float* target, const float* row, const float* factors, float scale,
                         std::size_t length);

  // y += Z'(Z x), Z being `count` rows of `length` floats, one after the other.
  void (*add_gram_product)(float* y, const float* z, std::size_t count, const float* x,
                           std::size_t length);

  // Upper triangle of A += P'P, P being `count` rows of `length` floats, one after the other, and A
  // `length` rows of `length`. What stands below the diagonal afterwards means nothing.
  void (*add_gram)(float* a, const float* panel, std::size_t count, std::size_t length);

  // Replaces the upper triangle of A by U with U'U = A, for the first `order` rows of `length`
  // floats; the columns past `order` are 0. False when A is not positive definite; A then means
  // nothing.
  bool (*cholesky)(float* a, std::size_t order, std::size_t length);

  // Solves U'U x = b in place for the U of cholesky().
  void (*solve_cholesky)(const float* u, float* x, std::size_t order, std::size_t length);
};

// The fastest set that this machine runs.
const VectorKernels& vector_kernels();

// Every set that this machine runs, the portable one, which judges the others, first.
std::span<const VectorKernels* const> supported_vector_kernels();

}  // namespace vitrine
