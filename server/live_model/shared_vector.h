// A vector whose copies share their chunks: a copy with a few changed values costs a few chunks.
//
// A chunk is never written once it is in place, so any copy may be changed while others are read;
// one copy is used like any value, by one thread or read-only by many.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/check.h"

namespace vitrine::live_model {

template <class T>
class SharedVector {
 public:
  static constexpr std::size_t k_chunk_values = 1024;

  SharedVector() = default;
  explicit SharedVector(std::span<const T> values) { append(values); }

  std::size_t size() const { return size_; }
  // Precondition: at < size().
  const T& operator[](std::size_t at) const {
    return (*chunks_[at / k_chunk_values])[at % k_chunk_values];
  }

  // Copies one chunk. Precondition, checked: at < size().
  void set(std::size_t at, const T& value) {
    CHECK(at < size_, "the position exists");
    std::shared_ptr<const Chunk>& place = chunks_[at / k_chunk_values];
    auto chunk = std::make_shared<Chunk>(*place);
    (*chunk)[at % k_chunk_values] = value;
    place = std::move(chunk);
  }

  // Copies the last chunk, if it is not full.
  void append(std::span<const T> values) {
    while (!values.empty()) {
      const std::size_t used = size_ % k_chunk_values;
      auto chunk = used == 0 ? std::make_shared<Chunk>() : std::make_shared<Chunk>(*chunks_.back());
      const std::size_t count = std::min(values.size(), k_chunk_values - used);
      std::copy_n(values.begin(), count, chunk->begin() + static_cast<std::ptrdiff_t>(used));
      if (used != 0) chunks_.pop_back();
      chunks_.push_back(std::move(chunk));
      values = values.subspan(count);
      size_ += count;
    }
  }

  // Appends `value` until there are `size`; never shrinks.
  void grow(std::size_t size, const T& value) {
    if (size > size_) append(std::vector<T>(size - size_, value));
  }

 private:
  using Chunk = std::array<T, k_chunk_values>;

  std::size_t size_ = 0;
  std::vector<std::shared_ptr<const Chunk>> chunks_;
};

}  // namespace vitrine::live_model
