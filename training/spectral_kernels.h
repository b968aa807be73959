// The inner loops of an eigenvalue decomposition in double precision, compiled for several
// instruction sets and chosen at run time.
//
// Lengths are multiples of 8 numbers. Thread-safe.
#pragma once

#include <cstddef>
#include <span>

namespace vitrine::training {

// Turns two neighbouring rows: row <- cosine * row - sine * next, next <- sine * row + cosine *
// next.
struct Turn {
  double cosine;
  double sine;
  std::size_t row;
};

struct SpectralKernels {
  const char* instruction_set;  // "avx512", "avx2" or "portable"

  // Columns that reflect() and turn() change at once.
  static constexpr std::size_t k_columns = 16;

  // y[r] = inner product of x and row r of a, for `count` rows `stride` apart; x and the rows have
  // `length` numbers.
  void (*multiply)(double* y, const double* a, const double* x, std::size_t count,
                   std::size_t length, std::size_t stride);

  // Row r of a -= v[r] * w' + w[r] * v', for `count` rows `stride` apart, in the `length` columns
  // that begin at `a`; column_v and column_w are v and w as those columns see them.
  void (*subtract_pair)(double* a, const double* v, const double* w, const double* column_v,
                        const double* column_w, std::size_t count, std::size_t length,
                        std::size_t stride);

  // block -= scale * v (v' block), for `count` rows of k_columns.
  void (*reflect)(double* block, const double* v, double scale, std::size_t count);

  // Turns rows of k_columns one pair after the other.
  void (*turn)(double* block, const Turn* turns, std::size_t count);
};

// The fastest set that this machine runs.
const SpectralKernels& spectral_kernels();

// Every set that this machine runs, the portable one first.
std::span<const SpectralKernels* const> supported_spectral_kernels();

}  // namespace vitrine::training
