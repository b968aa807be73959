#include "model/vector_kernels.h"

#include <cmath>

#include "base/kernel_sets.h"

// Each kernel is written once, over vectors of `Lanes` floats, and forced inline into one function
// an instruction set. Only those functions carry a target attribute, so that no code for a newer
// machine can be linked anywhere else.
#define VITRINE_INLINE inline __attribute__((always_inline))

namespace vitrine {
namespace {

template <int Lanes>
struct Simd {
  typedef float Vector __attribute__((vector_size(Lanes * sizeof(float)), aligned(4), may_alias));
};

// Sums by halves; every half is loaded from where the whole was stored.
template <int Lanes>
VITRINE_INLINE float sum_of(const typename Simd<Lanes>::Vector& lanes) {
  if constexpr (Lanes == 4) {
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
  } else {
    using Half = typename Simd<Lanes / 2>::Vector;
    float stored[Lanes];
    *reinterpret_cast<typename Simd<Lanes>::Vector*>(stored) = lanes;
    return sum_of<Lanes / 2>(*reinterpret_cast<const Half*>(stored) +
                             *reinterpret_cast<const Half*>(stored + Lanes / 2));
  }
}

template <int Lanes>
VITRINE_INLINE float dot_of(const float* a, const float* b, std::size_t length) {
  using Vector = typename Simd<Lanes>::Vector;
  Vector sum = {};
  for (std::size_t i = 0; i < length; i += Lanes) {
    sum += *reinterpret_cast<const Vector*>(a + i) * *reinterpret_cast<const Vector*>(b + i);
  }
  return sum_of<Lanes>(sum);
}

template <int Lanes>
VITRINE_INLINE void multiply_of(float* y, const float* rows, std::size_t count, const float* x,
                                std::size_t length) {
  for (std::size_t k = 0; k < count; ++k) y[k] = dot_of<Lanes>(rows + k * length, x, length);
}

template <int Lanes>
VITRINE_INLINE void add_scaled_of(float* y, const float* x, float scale, std::size_t length) {
  using Vector = typename Simd<Lanes>::Vector;
  for (std::size_t i = 0; i < length; i += Lanes) {
    *reinterpret_cast<Vector*>(y + i) += *reinterpret_cast<const Vector*>(x + i) * scale;
  }
}

template <int Lanes>
VITRINE_INLINE void scaled_product_of(float* target, const float* row, const float* factors,
                                      float scale, std::size_t length) {
  using Vector = typename Simd<Lanes>::Vector;
  for (std::size_t i = 0; i < length; i += Lanes) {
    *reinterpret_cast<Vector*>(target + i) = *reinterpret_cast<const Vector*>(row + i) *
                                             *reinterpret_cast<const Vector*>(factors + i) * scale;
  }
}

template <int Lanes>
VITRINE_INLINE void add_gram_product_of(float* y, const float* z, std::size_t count, const float* x,
                                        std::size_t length) {
  for (std::size_t k = 0; k < count; ++k) {
    const float* row = z + k * length;
    add_scaled_of<Lanes>(y, row, dot_of<Lanes>(row, x, length), length);
  }
}

// A[i .. i+4) [column .. column + Vectors * Lanes) += P' P, all sums held in registers.
template <int Lanes, int Vectors>
VITRINE_INLINE void add_gram_tile(float* a, const float* panel, std::size_t count,
                                  std::size_t length, std::size_t i, std::size_t column) {
  using Vector = typename Simd<Lanes>::Vector;
  Vector sums[4][Vectors] = {};
  for (std::size_t k = 0; k < count; ++k) {
    const float* row = panel + k * length;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const Vector right = *reinterpret_cast<const Vector*>(row + column + v * Lanes);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < 4; ++r) sums[r][v] += right * row[i + r];
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < 4; ++r) {
    float* target = a + (i + r) * length + column;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      *reinterpret_cast<Vector*>(target + v * Lanes) += sums[r][v];
    }
  }
}

template <int Lanes, int Vectors>
VITRINE_INLINE void add_gram_of(float* a, const float* panel, std::size_t count,
                                std::size_t length) {
  constexpr std::size_t k_wide = std::size_t{Lanes} * Vectors;
  for (std::size_t i = 0; i < length; i += 4) {
    std::size_t column = i / Lanes * Lanes;
    for (; column + k_wide <= length; column += k_wide) {
      add_gram_tile<Lanes, Vectors>(a, panel, count, length, i, column);
    }
    for (; column < length; column += Lanes)
      add_gram_tile<Lanes, 1>(a, panel, count, length, i, column);
  }
}

// Row r of U, for the four rows from `first` on: subtract what the rows of this block above it
// gave, divide by the root.
template <int Lanes>
VITRINE_INLINE bool factor_block(float* a, std::size_t first, std::size_t last,
                                 std::size_t length) {
  for (std::size_t j = first; j < last; ++j) {
    float* row = a + j * length;
    if (!(row[j] > 0)) return false;
    const float inverse = 1 / std::sqrt(row[j]);
    for (std::size_t c = j / Lanes * Lanes; c < length; c += Lanes) {
      using Vector = typename Simd<Lanes>::Vector;
      *reinterpret_cast<Vector*>(row + c) *= inverse;
    }
    for (std::size_t i = j + 1; i < last; ++i) {
      const std::size_t from = i / Lanes * Lanes;
      add_scaled_of<Lanes>(a + i * length + from, row + from, -row[i], length - from);
    }
  }
  return true;
}

template <int Lanes>
VITRINE_INLINE bool cholesky_of(float* a, std::size_t order, std::size_t length) {
  using Vector = typename Simd<Lanes>::Vector;
  for (std::size_t first = 0; first < order; first += 4) {
    const std::size_t last = first + 4 < order ? first + 4 : order;
    if (!factor_block<Lanes>(a, first, last, length)) return false;
    if (last - first < 4) return true;
    const float* u = a + first * length;
    for (std::size_t i = last; i < order; ++i) {
      const float s0 = u[i];
      const float s1 = u[length + i];
      const float s2 = u[2 * length + i];
      const float s3 = u[3 * length + i];
      float* row = a + i * length;
      for (std::size_t c = i / Lanes * Lanes; c < length; c += Lanes) {
        Vector sum = *reinterpret_cast<const Vector*>(row + c);
        sum -= *reinterpret_cast<const Vector*>(u + c) * s0;
        sum -= *reinterpret_cast<const Vector*>(u + length + c) * s1;
        sum -= *reinterpret_cast<const Vector*>(u + 2 * length + c) * s2;
        sum -= *reinterpret_cast<const Vector*>(u + 3 * length + c) * s3;
        *reinterpret_cast<Vector*>(row + c) = sum;
      }
    }
  }
  return true;
}

// Forwards with U' row by row (each row of U spreads one solved number), backwards with U by inner
// products.
template <int Lanes>
VITRINE_INLINE void solve_cholesky_of(const float* u, float* x, std::size_t order,
                                      std::size_t length) {
  for (std::size_t j = 0; j < order; ++j) {
    const float* row = u + j * length;
    const float solved = x[j] / row[j];
    const std::size_t whole = (j / Lanes + 1) * Lanes;
    for (std::size_t c = j + 1; c < whole; ++c) x[c] -= solved * row[c];
    add_scaled_of<Lanes>(x + whole, row + whole, -solved, length - whole);
    x[j] = solved;
  }
  for (std::size_t j = order; j-- > 0;) {
    const float* row = u + j * length;
    const std::size_t whole = (j / Lanes + 1) * Lanes;
    float sum = x[j] - dot_of<Lanes>(row + whole, x + whole, length - whole);
    for (std::size_t c = j + 1; c < whole; ++c) sum -= row[c] * x[c];
    x[j] = sum / row[j];
  }
}

// One set of functions for one instruction set: `lanes` floats a register, `vectors` registers a
// row of the Gram tile.
// NOLINTBEGIN(bugprone-macro-parentheses): `attribute` is a function's attribute, not an operand.
#define VITRINE_KERNELS(set, lanes, vectors, attribute)                                          \
  attribute float dot_##set(const float* a, const float* b, std::size_t n) {                     \
    return dot_of<lanes>(a, b, n);                                                               \
  }                                                                                              \
  attribute void multiply_##set(float* y, const float* r, std::size_t k, const float* x,         \
                                std::size_t n) {                                                 \
    multiply_of<lanes>(y, r, k, x, n);                                                           \
  }                                                                                              \
  attribute void add_scaled_##set(float* y, const float* x, float s, std::size_t n) {            \
    add_scaled_of<lanes>(y, x, s, n);                                                            \
  }                                                                                              \
  attribute void scaled_product_##set(float* t, const float* r, const float* f, float s,         \
                                      std::size_t n) {                                           \
    scaled_product_of<lanes>(t, r, f, s, n);                                                     \
  }                                                                                              \
  attribute void add_gram_product_##set(float* y, const float* z, std::size_t k, const float* x, \
                                        std::size_t n) {                                         \
    add_gram_product_of<lanes>(y, z, k, x, n);                                                   \
  }                                                                                              \
  attribute void add_gram_##set(float* a, const float* p, std::size_t k, std::size_t n) {        \
    add_gram_of<lanes, vectors>(a, p, k, n);                                                     \
  }                                                                                              \
  attribute bool cholesky_##set(float* a, std::size_t order, std::size_t n) {                    \
    return cholesky_of<lanes>(a, order, n);                                                      \
  }                                                                                              \
  attribute void solve_cholesky_##set(const float* u, float* x, std::size_t order,               \
                                      std::size_t n) {                                           \
    solve_cholesky_of<lanes>(u, x, order, n);                                                    \
  }                                                                                              \
  constexpr VectorKernels k_##set{#set,                                                          \
                                  dot_##set,                                                     \
                                  multiply_##set,                                                \
                                  add_scaled_##set,                                              \
                                  scaled_product_##set,                                          \
                                  add_gram_product_##set,                                        \
                                  add_gram_##set,                                                \
                                  cholesky_##set,                                                \
                                  solve_cholesky_##set};
// NOLINTEND(bugprone-macro-parentheses)

VITRINE_KERNELS(portable, 4, 2, )
#if defined(__x86_64__)
VITRINE_KERNELS(avx2, 8, 2, __attribute__((target("avx2,fma"))))
VITRINE_KERNELS(avx512, 16, 4, __attribute__((target("avx512f,fma"))))
#endif

const KernelSets<VectorKernels>& supported() {
#if defined(__x86_64__)
  static const KernelSets<VectorKernels> sets(k_portable, &k_avx2, &k_avx512);
#else
  static const KernelSets<VectorKernels> sets(k_portable, nullptr, nullptr);
#endif
  return sets;
}

}  // namespace

const VectorKernels& vector_kernels() { return supported().best(); }

std::span<const VectorKernels* const> supported_vector_kernels() { return supported().all(); }

}  // namespace vitrine
