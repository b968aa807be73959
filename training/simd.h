// Vectors of floats or doubles as the compiler knows them, for kernels that are written once and
// compiled for several instruction sets.
//
// Everything here is forced inline into functions that carry a target attribute, so that no code
// for a newer machine can be linked anywhere else; vectors are handed over by reference, since
// passing them by value would depend on the instruction set.
#pragma once

#include <cstddef>

#define VITRINE_INLINE inline __attribute__((always_inline))

namespace vitrine::training {

template <class T, std::size_t Lanes>
struct Simd {
  typedef T Vector __attribute__((vector_size(Lanes * sizeof(T)), aligned(sizeof(T)), may_alias));
};

template <class T, std::size_t Lanes>
VITRINE_INLINE const typename Simd<T, Lanes>::Vector& lanes_at(const T* from) {
  return *reinterpret_cast<const typename Simd<T, Lanes>::Vector*>(from);
}
template <class T, std::size_t Lanes>
VITRINE_INLINE typename Simd<T, Lanes>::Vector& lanes_at(T* from) {
  return *reinterpret_cast<typename Simd<T, Lanes>::Vector*>(from);
}

// Sums by halves.
template <class T, std::size_t Lanes>
VITRINE_INLINE T sum_of(const T* stored) {
  if constexpr (Lanes == 2) {
    return stored[0] + stored[1];
  } else {
    T halves[Lanes / 2];
    lanes_at<T, Lanes / 2>(halves) =
        lanes_at<T, Lanes / 2>(stored) + lanes_at<T, Lanes / 2>(stored + Lanes / 2);
    return sum_of<T, Lanes / 2>(halves);
  }
}

template <class T, std::size_t Lanes>
VITRINE_INLINE T dot_of(const T* a, const T* b, std::size_t length) {
  typename Simd<T, Lanes>::Vector sum = {};
  for (std::size_t i = 0; i < length; i += Lanes)
    sum += lanes_at<T, Lanes>(a + i) * lanes_at<T, Lanes>(b + i);
  T stored[Lanes];
  lanes_at<T, Lanes>(stored) = sum;
  return sum_of<T, Lanes>(stored);
}

}  // namespace vitrine::training
