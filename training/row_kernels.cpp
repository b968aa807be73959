#include "training/row_kernels.h"

#include <utility>

#include "base/kernel_sets.h"
#include "training/simd.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_rows_ahead = 6;  // fetched into the cache while earlier ones are scaled

template <std::size_t Lanes>
VITRINE_INLINE void gather_of(float* z, const float* table, const std::uint32_t* columns,
                              const float* roots, std::size_t count, const float* scale,
                              std::size_t stride) {
  for (std::size_t k = 0; k < count; ++k) {
    if (k + k_rows_ahead < count) {
      const float* later = table + columns[k + k_rows_ahead] * stride;
      for (std::size_t i = 0; i < stride; i += 16) __builtin_prefetch(later + i);
    }
    const float* row = table + columns[k] * stride;
    const float root = roots[k];
    for (std::size_t i = 0; i < stride; i += Lanes) {
      lanes_at<float, Lanes>(z + k * stride + i) =
          lanes_at<float, Lanes>(row + i) * lanes_at<float, Lanes>(scale + i) * root;
    }
  }
}

// y[i .. i + Lanes) += the rows' numbers there, weighted: `Rows` rows, one load each.
template <std::size_t Lanes, std::size_t Rows>
VITRINE_INLINE void add_row_block(float* y, const float* z, const float* weights,
                                  std::size_t stride) {
  for (std::size_t i = 0; i < stride; i += Lanes) {
    typename Simd<float, Lanes>::Vector even = lanes_at<float, Lanes>(y + i);
    typename Simd<float, Lanes>::Vector odd = {};
#pragma GCC unroll 16
    for (std::size_t k = 0; k + 1 < Rows; k += 2) {
      even += lanes_at<float, Lanes>(z + k * stride + i) * weights[k];
      odd += lanes_at<float, Lanes>(z + (k + 1) * stride + i) * weights[k + 1];
    }
    if constexpr (Rows % 2 == 1) even += lanes_at<float, Lanes>(z + i) * weights[0];
    lanes_at<float, Lanes>(y + i) = even + odd;
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void add_rows_of(float* y, const float* z, const float* weights, std::size_t count,
                                std::size_t stride) {
  std::size_t k = 0;
  for (; k + 8 <= count; k += 8) add_row_block<Lanes, 8>(y, z + k * stride, weights + k, stride);
  for (; k + 2 <= count; k += 2) add_row_block<Lanes, 2>(y, z + k * stride, weights + k, stride);
  if (k < count) add_row_block<Lanes, 1>(y, z + k * stride, weights + k, stride);
}

// Where number `place` of a vector of groups of Half comes from, when a and b hold groups of twice
// that.
template <std::size_t Lanes, std::size_t Half>
constexpr int place_in_pair(std::size_t place) {
  constexpr std::size_t k_groups = Lanes / Half / 2;  // of each
  const std::size_t group = place / Half;
  const std::size_t from = group % k_groups * 2 * Half + place % Half;
  return static_cast<int>(group < k_groups ? from : Lanes + from);
}

// Halves what is left to sum: of a and b, each holding groups of 2 * Half numbers, one vector of
// groups of Half, first those of a, then those of b.
template <std::size_t Lanes, std::size_t Half, std::size_t... Places>
VITRINE_INLINE void fold_pair(typename Simd<float, Lanes>::Vector& out,
                              const typename Simd<float, Lanes>::Vector& a,
                              const typename Simd<float, Lanes>::Vector& b,
                              std::index_sequence<Places...>) {
  out = __builtin_shufflevector(a, b, place_in_pair<Lanes, Half>(Places)...) +
        __builtin_shufflevector(a, b,
                                (place_in_pair<Lanes, Half>(Places) + static_cast<int>(Half))...);
}

// stored[n] = the sum of vector n, for as many vectors as a vector has lanes; uses them up.
template <std::size_t Lanes, std::size_t Half = Lanes / 2>
VITRINE_INLINE void sums_of(float* stored, typename Simd<float, Lanes>::Vector* vectors) {
#pragma GCC unroll 16
  for (std::size_t n = 0; n < Half; ++n) {
    fold_pair<Lanes, Half>(vectors[n], vectors[2 * n], vectors[2 * n + 1],
                           std::make_index_sequence<Lanes>());
  }
  if constexpr (Half > 1) {
    sums_of<Lanes, Half / 2>(stored, vectors);
  } else {
    lanes_at<float, Lanes>(stored) = vectors[0];
  }
}

// products[k] = inner product of x and row k, for `Lanes` rows.
template <std::size_t Lanes>
VITRINE_INLINE void row_products(float* products, const float* z, const float* x,
                                 std::size_t stride) {
  typename Simd<float, Lanes>::Vector sums[Lanes] = {};
  for (std::size_t i = 0; i < stride; i += Lanes) {
    const typename Simd<float, Lanes>::Vector numbers = lanes_at<float, Lanes>(x + i);
#pragma GCC unroll 16
    for (std::size_t k = 0; k < Lanes; ++k)
      sums[k] += lanes_at<float, Lanes>(z + k * stride + i) * numbers;
  }
  sums_of<Lanes>(products, sums);
}

// y += Z' (Z x), or y += Z' (targets - Z x) when there are targets.
template <std::size_t Lanes>
VITRINE_INLINE void add_fitted(float* y, const float* z, const float* targets, std::size_t count,
                               const float* x, std::size_t stride) {
  float products[Lanes];
  for (std::size_t k = 0; k < count; k += Lanes) {
    const std::size_t block = count - k < Lanes ? count - k : Lanes;
    const float* rows = z + k * stride;
    if (block == Lanes) {
      row_products<Lanes>(products, rows, x, stride);
    } else {
      for (std::size_t r = 0; r < block; ++r)
        products[r] = dot_of<float, Lanes>(rows + r * stride, x, stride);
    }
    if (targets != nullptr) {
      for (std::size_t r = 0; r < block; ++r) products[r] = targets[k + r] - products[r];
    }
    add_rows_of<Lanes>(y, rows, products, block, stride);
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void conjugate_gradient_of(float* x, const float* z, const float* targets,
                                          std::size_t count, std::size_t stride, std::size_t steps,
                                          float* scratch) {
  float* const residual = scratch;
  float* const direction = residual + stride;
  float* const image = direction + stride;
  for (std::size_t i = 0; i < stride; ++i) residual[i] = -x[i];
  add_fitted<Lanes>(residual, z, targets, count, x, stride);
  for (std::size_t i = 0; i < stride; ++i) direction[i] = residual[i];
  float norm = dot_of<float, Lanes>(residual, residual, stride);
  for (std::size_t step = 0; step < steps && norm > 0; ++step) {
    for (std::size_t i = 0; i < stride; ++i) image[i] = direction[i];
    add_fitted<Lanes>(image, z, nullptr, count, direction, stride);
    const float length = norm / dot_of<float, Lanes>(direction, image, stride);
    for (std::size_t i = 0; i < stride; i += Lanes) {
      lanes_at<float, Lanes>(x + i) += lanes_at<float, Lanes>(direction + i) * length;
      lanes_at<float, Lanes>(residual + i) -= lanes_at<float, Lanes>(image + i) * length;
    }
    const float next = dot_of<float, Lanes>(residual, residual, stride);
    const float turn = next / norm;
    for (std::size_t i = 0; i < stride; i += Lanes) {
      lanes_at<float, Lanes>(direction + i) =
          lanes_at<float, Lanes>(residual + i) + lanes_at<float, Lanes>(direction + i) * turn;
    }
    norm = next;
  }
}

// A block of Rows x Columns inner products, their partial sums held in registers.
template <std::size_t Lanes, std::size_t Rows, std::size_t Columns>
VITRINE_INLINE void gram_block(float* s, const float* z, std::size_t first_row,
                               std::size_t first_column, std::size_t count, std::size_t stride) {
  static_assert(Rows * Columns == Lanes);
  typename Simd<float, Lanes>::Vector sums[Lanes] = {};
  const float* const left = z + first_row * stride;
  const float* const right = z + first_column * stride;
  for (std::size_t i = 0; i < stride; i += Lanes) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Columns; ++c) {
      const typename Simd<float, Lanes>::Vector numbers =
          lanes_at<float, Lanes>(right + c * stride + i);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < Rows; ++r)
        sums[r * Columns + c] += lanes_at<float, Lanes>(left + r * stride + i) * numbers;
    }
  }
  float stored[Lanes];
  sums_of<Lanes>(stored, sums);
  for (std::size_t r = 0; r < Rows && first_row + r < count; ++r) {
    const std::size_t row = first_row + r;
    float* target = s + (row * (row + 1) / 2 + first_column) * RowKernels::k_lanes;
    for (std::size_t c = 0; c < Columns && first_column + c <= row; ++c)
      target[c * RowKernels::k_lanes] = stored[r * Columns + c];
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void gram_lane_of(float* s, const float* z, std::size_t count, std::size_t stride) {
  constexpr std::size_t k_rows = Lanes == 4 ? 2 : 4;
  constexpr std::size_t k_columns = Lanes / k_rows;
  for (std::size_t row = 0; row < count; row += k_rows) {
    for (std::size_t column = 0; column < row + k_rows; column += k_columns)
      gram_block<Lanes, k_rows, k_columns>(s, z, row, column, count, stride);
  }
}

// S = L D L' row by row, L taking the place of S and 1 / D that of its diagonal, and the right side
// forwards on the way; then backwards.
template <std::size_t Lanes>
VITRINE_INLINE void solve_some_lanes(float* s, float* x, std::size_t order) {
  using Vector = typename Simd<float, Lanes>::Vector;
  constexpr std::size_t k_step = RowKernels::k_lanes;
  const auto number = [](float* from, std::size_t place) -> Vector& {
    return lanes_at<float, Lanes>(from + place * k_step);
  };
  for (std::size_t i = 0; i < order; ++i) {
    float* const row = s + i * (i + 1) / 2 * k_step;
    for (std::size_t j = 1; j < i; ++j) {
      float* const upper = s + j * (j + 1) / 2 * k_step;
      Vector sum = number(row, j);
      for (std::size_t k = 0; k < j; ++k) sum -= number(row, k) * number(upper, k);
      number(row, j) = sum;
    }
    Vector diagonal = number(row, i);
    Vector right = number(x, i);
    for (std::size_t k = 0; k < i; ++k) {
      float* const pivot = s + (k * (k + 1) / 2 + k) * k_step;
      const Vector scaled = number(row, k) * number(pivot, 0);
      diagonal -= number(row, k) * scaled;
      number(row, k) = scaled;
      right -= scaled * number(x, k);
    }
    number(row, i) = 1.0F / diagonal;
    number(x, i) = right;
  }
  for (std::size_t i = order; i-- > 0;) {
    float* const row = s + i * (i + 1) / 2 * k_step;
    number(x, i) *= number(row, i);
  }
  for (std::size_t i = order; i-- > 1;) {
    float* const row = s + i * (i + 1) / 2 * k_step;
    const Vector solved = number(x, i);
    for (std::size_t k = 0; k < i; ++k) number(x, k) -= number(row, k) * solved;
  }
}

template <std::size_t Lanes>
VITRINE_INLINE void solve_lanes_of(float* s, float* x, std::size_t order) {
  for (std::size_t lane = 0; lane < RowKernels::k_lanes; lane += Lanes)
    solve_some_lanes<Lanes>(s + lane, x + lane, order);
}

// Rows x (Vectors * Lanes) numbers of the product, their sums held in registers.
template <std::size_t Lanes, std::size_t Rows, std::size_t Vectors>
VITRINE_INLINE void multiply_block(float* target, const float* rows, const float* matrix,
                                   std::size_t stride) {
  typename Simd<float, Lanes>::Vector sums[Rows][Vectors] = {};
  for (std::size_t k = 0; k < stride; ++k) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const typename Simd<float, Lanes>::Vector right =
          lanes_at<float, Lanes>(matrix + k * stride + v * Lanes);
#pragma GCC unroll 12
      for (std::size_t r = 0; r < Rows; ++r) sums[r][v] += right * rows[r * stride + k];
    }
  }
#pragma GCC unroll 12
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v)
      lanes_at<float, Lanes>(target + r * stride + v * Lanes) = sums[r][v];
  }
}

// The columns outside, so that a strip of the matrix stays in the first-level cache.
template <std::size_t Lanes, std::size_t Rows, std::size_t Vectors>
VITRINE_INLINE void multiply_of(float* target, const float* rows, std::size_t count,
                                const float* matrix, std::size_t stride) {
  std::size_t column = 0;
  for (; column + Vectors * Lanes <= stride; column += Vectors * Lanes) {
    std::size_t r = 0;
    for (; r + Rows <= count; r += Rows) {
      multiply_block<Lanes, Rows, Vectors>(target + r * stride + column, rows + r * stride,
                                           matrix + column, stride);
    }
    for (; r < count; ++r) {
      multiply_block<Lanes, 1, Vectors>(target + r * stride + column, rows + r * stride,
                                        matrix + column, stride);
    }
  }
  for (; column < stride; column += Lanes) {
    for (std::size_t r = 0; r < count; ++r) {
      multiply_block<Lanes, 1, 1>(target + r * stride + column, rows + r * stride, matrix + column,
                                  stride);
    }
  }
}

// One set of functions for one instruction set: `lanes` floats a register, `rows` x `vectors`
// registers of sums in a product of matrices.
// Names, numbers and attributes cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITRINE_ROW_KERNELS(set, lanes, rows, vectors, attribute)                                  \
  attribute void gather_##set(float* z, const float* t, const std::uint32_t* c, const float* r,    \
                              std::size_t k, const float* s, std::size_t n) {                      \
    gather_of<lanes>(z, t, c, r, k, s, n);                                                         \
  }                                                                                                \
  attribute void add_rows_##set(float* y, const float* z, const float* w, std::size_t k,           \
                                std::size_t n) {                                                   \
    add_rows_of<lanes>(y, z, w, k, n);                                                             \
  }                                                                                                \
  attribute void conjugate_gradient_##set(float* x, const float* z, const float* t, std::size_t k, \
                                          std::size_t n, std::size_t steps, float* scratch) {      \
    conjugate_gradient_of<lanes>(x, z, t, k, n, steps, scratch);                                   \
  }                                                                                                \
  attribute void gram_lane_##set(float* s, const float* z, std::size_t k, std::size_t n) {         \
    gram_lane_of<lanes>(s, z, k, n);                                                               \
  }                                                                                                \
  attribute void solve_lanes_##set(float* s, float* x, std::size_t order) {                        \
    solve_lanes_of<lanes>(s, x, order);                                                            \
  }                                                                                                \
  attribute void multiply_##set(float* t, const float* r, std::size_t k, const float* m,           \
                                std::size_t n) {                                                   \
    multiply_of<lanes, rows, vectors>(t, r, k, m, n);                                              \
  }                                                                                                \
  constexpr RowKernels k_##set{#set,                                                               \
                               gather_##set,                                                       \
                               add_rows_##set,                                                     \
                               conjugate_gradient_##set,                                           \
                               gram_lane_##set,                                                    \
                               solve_lanes_##set,                                                  \
                               multiply_##set};
// NOLINTEND(bugprone-macro-parentheses)

VITRINE_ROW_KERNELS(portable, 4, 4, 2, )
#if defined(__x86_64__)
VITRINE_ROW_KERNELS(avx2, 8, 6, 2, __attribute__((target("avx2,fma"))))
VITRINE_ROW_KERNELS(avx512, 16, 12, 2, __attribute__((target("avx512f,fma"))))
#endif

const KernelSets<RowKernels>& supported() {
#if defined(__x86_64__)
  static const KernelSets<RowKernels> sets(k_portable, &k_avx2, &k_avx512);
#else
  static const KernelSets<RowKernels> sets(k_portable, nullptr, nullptr);
#endif
  return sets;
}

}  // namespace

const RowKernels& row_kernels() { return supported().best(); }

std::span<const RowKernels* const> supported_row_kernels() { return supported().all(); }

}  // namespace vitrine::training
