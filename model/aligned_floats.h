// A vector of floats that starts on a cache line, so that SIMD loads of padded rows never straddle
// two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace vitrine {

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t k_alignment{64};

  CacheLineAllocator() = default;
  template <class U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), k_alignment));
  }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, k_alignment); }

  template <class U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
};

using AlignedFloats = std::vector<float, CacheLineAllocator<float>>;

// Floats a row of `dimension` takes when every row starts on a cache line.
constexpr std::size_t padded_dimension(std::size_t dimension) { return (dimension + 15) / 16 * 16; }

}  // namespace vitrine
