// All inner products between two panels of vectors, and which of them are worth a look, compiled
// for several instruction sets and chosen at run time.
//
// A panel is k_rows vectors that lie side by side: number i of vector r is panel[i * k_rows + r].
// Each product is summed number by number, so that (a, b) and (b, a) are the same to the last bit.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine::training {

struct PanelKernels {
  static constexpr std::size_t k_rows = 32;  // vectors of a panel

  const char* instruction_set;  // "avx512", "avx2" or "portable"

  // scores[r * k_rows + c] = inner product of vector r of `a` and vector c of `b`, which have
  // `length` numbers. Bit r of the answer is set where a score of row r is at least bars_a[r], or
  // at least the bars_b of its column. Scores and bars are aligned to 64 bytes.
  std::uint32_t (*score)(float* scores, const float* a, const float* b, const float* bars_a,
                         const float* bars_b, std::size_t length);
};

// The fastest set that this machine runs.
const PanelKernels& panel_kernels();

// Every set that this machine runs, the portable one, which judges the others, first.
std::span<const PanelKernels* const> supported_panel_kernels();

}  // namespace vitrine::training
