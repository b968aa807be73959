// A vector whose copies share their chunks: changing a few values of a copy costs a few chunks.
//
// A copy may be read by any number of threads while another copy is changed; one copy is changed by
// one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace vitrine::live_model {

template <class T>
class SharedVector {
 public:
  static constexpr std::size_t k_chunk_values = 1024;

  SharedVector() = default;
  // Chunks are shared from here on, so the copy owns none of them.
  SharedVector(const SharedVector& other)
      : size_(other.size_), chunks_(other.chunks_), is_owned_(other.chunks_.size(), false) {}
  SharedVector(SharedVector&&) noexcept = default;
  SharedVector& operator=(const SharedVector&) = delete;
  SharedVector& operator=(SharedVector&&) noexcept = default;

  std::size_t size() const { return size_; }
  // Precondition: at < size().
  const T& operator[](std::size_t at) const {
    return (*chunks_[at / k_chunk_values])[at % k_chunk_values];
  }

  // Precondition, checked: at < size().
  void set(std::size_t at, const T& value) {
    CHECK(at < size_, "the position exists");
    const std::size_t chunk = at / k_chunk_values;
    if (!is_owned_[chunk]) {
      chunks_[chunk] = std::make_shared<Chunk>(*chunks_[chunk]);
      is_owned_[chunk] = true;
    }
    (*chunks_[chunk])[at % k_chunk_values] = value;
  }

  // Grows to `size` values; the new ones are `value`.
  void grow(std::size_t size, const T& value) {
    while (chunks_.size() * k_chunk_values < size) {
      chunks_.push_back(std::make_shared<Chunk>());
      is_owned_.push_back(true);
    }
    for (std::size_t at = std::exchange(size_, std::max(size_, size)); at < size_; ++at) {
      set(at, value);
    }
  }

 private:
  using Chunk = std::array<T, k_chunk_values>;

  std::size_t size_ = 0;
  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::vector<bool> is_owned_;  // chunks that no other copy shares
};

}  // namespace vitrine::live_model
