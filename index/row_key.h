// A scored row in one whole number, so that one comparison orders rows: the better row has the
// larger key.
//
// Thread-safe (pure).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace vitrine::index {

// The score stands in the upper half, mapped to whole numbers of the same order, and in the lower
// half the row, mapped so that of equal scores the smaller row is better.
inline std::uint64_t key_of(float score, std::uint32_t row) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // -0 is 0
  const std::uint32_t ordered = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return std::uint64_t{ordered} << 32 | static_cast<std::uint32_t>(~row);
}

inline std::uint32_t row_of(std::uint64_t key) { return ~static_cast<std::uint32_t>(key); }

inline float score_of(std::uint64_t key) {
  const auto ordered = static_cast<std::uint32_t>(key >> 32);
  return std::bit_cast<float>((ordered & 0x80000000U) != 0 ? ordered & 0x7FFFFFFFU : ~ordered);
}

// Brings the `count` largest of `size` keys, which are all different, to the front, in no order.
//
// Quickselect whose partition has no branch on the keys: a processor guesses every second one
// wrong, which is most of what std::nth_element costs. That one is left the few keys at the end,
// and the rest of what goes on for unlikely long. Precondition: count <= size.
inline void select_largest(std::uint64_t* keys, std::size_t size, std::size_t count) {
  constexpr std::size_t k_few = 16;
  constexpr int k_rounds_max = 40;
  std::size_t first = 0;  // what is before is larger than all behind, from `last` on smaller
  std::size_t last = size;
  for (int round = 0; round < k_rounds_max && last - first > k_few; ++round) {
    const std::uint64_t a = keys[first];
    const std::uint64_t b = keys[first + (last - first) / 2];
    const std::uint64_t c = keys[last - 1];
    const std::uint64_t pivot = std::max(std::min(a, b), std::min(std::max(a, b), c));
    std::size_t end = first;
    for (std::size_t i = first; i < last; ++i) {
      const std::uint64_t key = keys[i];
      keys[i] = keys[end];
      keys[end] = key;
      end += static_cast<std::size_t>(key >= pivot);
    }
    // The pivot, a median of three, is in the front part and another key is not: both shrink.
    if (end == count) return;
    (end < count ? first : last) = end;
  }
  if (count > first && count < last) {
    std::nth_element(keys + first, keys + count, keys + last, std::greater<>());
  }
}

}  // namespace vitrine::index
