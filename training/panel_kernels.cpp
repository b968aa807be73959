#include "training/panel_kernels.h"

#include <cstring>

#include "base/kernel_sets.h"
#include "training/simd.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_rows = PanelKernels::k_rows;

// Whether any lane of a comparison holds.
template <std::size_t Lanes, class Mask>
VITRINE_INLINE bool any_of(const Mask& mask) {
  constexpr std::size_t k_words = Lanes * sizeof(float) / sizeof(std::uint64_t);
  std::uint64_t words[k_words];
  std::memcpy(words, &mask, sizeof(words));
  std::uint64_t any = 0;
#pragma GCC unroll 8
  for (std::size_t i = 0; i < k_words; ++i) any |= words[i];
  return any != 0;
}

// Rows x (2 * Lanes) products, their sums held in registers.
template <std::size_t Lanes, std::size_t Rows>
VITRINE_INLINE std::uint32_t score_block(float* scores, const float* a, const float* b,
                                         const float* bars_a, const float* bars_b,
                                         std::size_t length) {
  using Vector = typename Simd<float, Lanes>::Vector;
  Vector left[Rows] = {};
  Vector right[Rows] = {};
  for (std::size_t i = 0; i < length; ++i) {
    const Vector near = lanes_at<float, Lanes>(b + i * k_rows);
    const Vector far = lanes_at<float, Lanes>(b + i * k_rows + Lanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      left[r] += near * a[i * k_rows + r];
      right[r] += far * a[i * k_rows + r];
    }
  }
  std::uint32_t wanted = 0;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    lanes_at<float, Lanes>(scores + r * k_rows) = left[r];
    lanes_at<float, Lanes>(scores + r * k_rows + Lanes) = right[r];
    const Vector bar = bars_a[r] - Vector{};
    const auto hits = (left[r] >= bar) | (left[r] >= lanes_at<float, Lanes>(bars_b)) |
                      (right[r] >= bar) | (right[r] >= lanes_at<float, Lanes>(bars_b + Lanes));
    wanted |= static_cast<std::uint32_t>(any_of<Lanes>(hits)) << r;
  }
  return wanted;
}

template <std::size_t Lanes, std::size_t Rows>
VITRINE_INLINE std::uint32_t score_of(float* scores, const float* a, const float* b,
                                      const float* bars_a, const float* bars_b,
                                      std::size_t length) {
  std::uint32_t wanted = 0;
  for (std::size_t c = 0; c < k_rows; c += 2 * Lanes) {
    for (std::size_t r = 0; r < k_rows; r += Rows) {
      wanted |= score_block<Lanes, Rows>(scores + r * k_rows + c, a + r, b + c, bars_a + r,
                                         bars_b + c, length)
                << r;
    }
  }
  return wanted;
}

// Names, numbers and attributes cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITRINE_PANEL_KERNELS(set, lanes, rows, attribute)                           \
  attribute std::uint32_t score_##set(float* scores, const float* a, const float* b, \
                                      const float* bars_a, const float* bars_b,      \
                                      std::size_t length) {                          \
    return score_of<lanes, rows>(scores, a, b, bars_a, bars_b, length);              \
  }                                                                                  \
  constexpr PanelKernels k_##set{#set, score_##set};
// NOLINTEND(bugprone-macro-parentheses)

VITRINE_PANEL_KERNELS(portable, 4, 4, )
#if defined(__x86_64__)
VITRINE_PANEL_KERNELS(avx2, 8, 4, __attribute__((target("avx2,fma"))))
VITRINE_PANEL_KERNELS(avx512, 16, 8, __attribute__((target("avx512f,fma"))))
#endif

const KernelSets<PanelKernels>& supported() {
#if defined(__x86_64__)
  static const KernelSets<PanelKernels> sets(k_portable, &k_avx2, &k_avx512);
#else
  static const KernelSets<PanelKernels> sets(k_portable, nullptr, nullptr);
#endif
  return sets;
}

}  // namespace

const PanelKernels& panel_kernels() { return supported().best(); }

std::span<const PanelKernels* const> supported_panel_kernels() { return supported().all(); }

}  // namespace vitrine::training
