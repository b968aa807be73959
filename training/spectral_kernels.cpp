#include "training/spectral_kernels.h"

#include "base/kernel_sets.h"
#include "training/simd.h"

namespace vitrine::training {
namespace {

template <std::size_t Lanes>
VITRINE_INLINE void multiply_of(double* y, const double* a, const double* x, std::size_t count,
                                std::size_t length, std::size_t stride) {
  using Vector = typename Simd<double, Lanes>::Vector;
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    Vector sums[4] = {};
    for (std::size_t c = 0; c < length; c += Lanes) {
      const Vector right = lanes_at<double, Lanes>(x + c);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < 4; ++k)
        sums[k] += lanes_at<double, Lanes>(a + (r + k) * stride + c) * right;
    }
    for (std::size_t k = 0; k < 4; ++k) {
      double stored[Lanes];
      lanes_at<double, Lanes>(stored) = sums[k];
      y[r + k] = sum_of<double, Lanes>(stored);
    }
  }
  for (; r < count; ++r) y[r] = dot_of<double, Lanes>(a + r * stride, x, length);
}

template <std::size_t Lanes>
VITRINE_INLINE void subtract_pair_of(double* a, const double* v, const double* w,
                                     const double* column_v, const double* column_w,
                                     std::size_t count, std::size_t length, std::size_t stride) {
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t c = 0; c < length; c += Lanes) {
      lanes_at<double, Lanes>(a + r * stride + c) -= lanes_at<double, Lanes>(column_w + c) * v[r] +
                                                     lanes_at<double, Lanes>(column_v + c) * w[r];
    }
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void reflect_of(double* block, const double* v, double scale, std::size_t count) {
  constexpr std::size_t k_vectors = SpectralKernels::k_columns / Lanes;
  typename Simd<double, Lanes>::Vector sums[k_vectors] = {};
  for (std::size_t r = 0; r < count; ++r) {
#pragma GCC unroll 8
    for (std::size_t c = 0; c < k_vectors; ++c)
      sums[c] += lanes_at<double, Lanes>(block + r * SpectralKernels::k_columns + c * Lanes) * v[r];
  }
#pragma GCC unroll 8
  for (std::size_t c = 0; c < k_vectors; ++c) sums[c] *= scale;
  for (std::size_t r = 0; r < count; ++r) {
#pragma GCC unroll 8
    for (std::size_t c = 0; c < k_vectors; ++c)
      lanes_at<double, Lanes>(block + r * SpectralKernels::k_columns + c * Lanes) -= sums[c] * v[r];
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void turn_of(double* block, const Turn* turns, std::size_t count) {
  using Vector = typename Simd<double, Lanes>::Vector;
  for (std::size_t t = 0; t < count; ++t) {
    double* const row = block + turns[t].row * SpectralKernels::k_columns;
    double* const next = row + SpectralKernels::k_columns;
#pragma GCC unroll 8
    for (std::size_t c = 0; c < SpectralKernels::k_columns; c += Lanes) {
      const Vector first = lanes_at<double, Lanes>(row + c);
      const Vector second = lanes_at<double, Lanes>(next + c);
      lanes_at<double, Lanes>(row + c) = first * turns[t].cosine - second * turns[t].sine;
      lanes_at<double, Lanes>(next + c) = first * turns[t].sine + second * turns[t].cosine;
    }
  }
}

// Names, numbers and attributes cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITRINE_SPECTRAL_KERNELS(set, lanes, attribute)                                         \
  attribute void multiply_##set(double* y, const double* a, const double* x, std::size_t count, \
                                std::size_t length, std::size_t stride) {                       \
    multiply_of<lanes>(y, a, x, count, length, stride);                                         \
  }                                                                                             \
  attribute void subtract_pair_##set(double* a, const double* v, const double* w,               \
                                     const double* cv, const double* cw, std::size_t count,     \
                                     std::size_t length, std::size_t stride) {                  \
    subtract_pair_of<lanes>(a, v, w, cv, cw, count, length, stride);                            \
  }                                                                                             \
  attribute void reflect_##set(double* b, const double* v, double scale, std::size_t count) {   \
    reflect_of<lanes>(b, v, scale, count);                                                      \
  }                                                                                             \
  attribute void turn_##set(double* b, const Turn* turns, std::size_t count) {                  \
    turn_of<lanes>(b, turns, count);                                                            \
  }                                                                                             \
  constexpr SpectralKernels k_##set{#set, multiply_##set, subtract_pair_##set, reflect_##set,   \
                                    turn_##set};
// NOLINTEND(bugprone-macro-parentheses)

VITRINE_SPECTRAL_KERNELS(portable, 2, )
#if defined(__x86_64__)
VITRINE_SPECTRAL_KERNELS(avx2, 4, __attribute__((target("avx2,fma"))))
VITRINE_SPECTRAL_KERNELS(avx512, 8, __attribute__((target("avx512f,fma"))))
#endif

const KernelSets<SpectralKernels>& supported() {
#if defined(__x86_64__)
  static const KernelSets<SpectralKernels> sets(k_portable, &k_avx2, &k_avx512);
#else
  static const KernelSets<SpectralKernels> sets(k_portable, nullptr, nullptr);
#endif
  return sets;
}

}  // namespace

const SpectralKernels& spectral_kernels() { return supported().best(); }

std::span<const SpectralKernels* const> supported_spectral_kernels() { return supported().all(); }

}  // namespace vitrine::training
