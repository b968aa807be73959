// An array that grows by whole chunks and never moves: one writer, readers without a lock.
//
// Thread-safety: find() from any thread; grow_to_hold() by one writer at a time. What the elements
// allow is their own affair.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "base/check.h"

namespace vitrine::profiles {

template <class T, std::size_t ChunkSize, std::size_t ChunksMax>
class ChunkedArray {
 public:
  static constexpr std::size_t k_size_max = ChunkSize * ChunksMax;

  ChunkedArray() = default;
  ~ChunkedArray() {
    for (std::atomic<T*>& chunk : chunks_) std::unique_ptr<T[]>(chunk.load());
  }
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;

  // Null where nothing was grown yet.
  T* find(std::size_t index) const {
    if (index >= k_size_max) return nullptr;
    T* const chunk = chunks_[index / ChunkSize].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : chunk + index % ChunkSize;
  }
  // Precondition, checked: index < k_size_max.
  T& grow_to_hold(std::size_t index) {
    CHECK(index < k_size_max, "the array has room");
    std::atomic<T*>& chunk = chunks_[index / ChunkSize];
    if (chunk.load(std::memory_order_relaxed) == nullptr) {
      chunk.store(std::make_unique<T[]>(ChunkSize).release(), std::memory_order_release);
    }
    return *find(index);
  }

 private:
  std::array<std::atomic<T*>, ChunksMax> chunks_{};
};

}  // namespace vitrine::profiles
