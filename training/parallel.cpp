#include "training/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace vitrine::training {

unsigned thread_count_of(unsigned wanted) {
  return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

void for_each_piece(std::size_t count, unsigned threads,
                    const std::function<void(std::size_t piece)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto take_pieces = [&] {
    for (std::size_t piece = next++; piece < count; piece = next++) work(piece);
  };
  std::vector<std::jthread> others;
  const std::size_t useful = std::min<std::size_t>(thread_count_of(threads), count);
  for (std::size_t i = 1; i < useful; ++i) others.emplace_back(take_pieces);
  take_pieces();
}

}  // namespace vitrine::training
