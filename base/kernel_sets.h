// Which of a kernel's builds this processor can run: portable always, AVX2 and AVX-512 where they
// are there.
//
// Thread-safety: immutable once made.
#pragma once

#include <cstddef>
#include <span>

#include "base/processor.h"

namespace vitrine {

template <class Kernels>
class KernelSets {
 public:
  // The sets outlive this object; a null one was not built for this kind of processor. The faster
  // ones need AVX2 with FMA, and AVX-512F.
  KernelSets(const Kernels& portable, const Kernels* avx2, const Kernels* avx512)
      : sets_{&portable} {
    if (avx2 != nullptr && processor().has_avx2) sets_[count_++] = avx2;
    if (avx512 != nullptr && processor().has_avx512f) sets_[count_++] = avx512;
  }

  const Kernels& best() const { return *sets_[count_ - 1]; }
  // Slowest first.
  std::span<const Kernels* const> all() const { return {sets_, count_}; }

 private:
  const Kernels* sets_[3];
  std::size_t count_ = 1;
};

}  // namespace vitrine
