// Lets searches that wait at the same time share a pass over the rows.
//
// A search begins at once while a lane is free. While all are taken it waits, and whoever gets the
// next free lane takes along all that wait for the same index, up to 8: nobody waits for company,
// and the busier the threads are, the less each search costs. Worth it where one scan takes longer
// than waking a thread, past some hundred thousand rows. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "index/product_index.h"

namespace vitrine::index {

class SharedScans {
 public:
  static constexpr std::size_t k_together_max = 8;

  // `lanes` passes may run at the same time: as many as there are processors.
  explicit SharedScans(std::size_t lanes) : free_lanes_(lanes) {}

  static constexpr std::int64_t k_patience_us_max = 3'600'000'000;  // an hour

  using Answer = absl::StatusOr<std::vector<Neighbor>>;

  // What index.search_batch() answers: the requests are made in one pass, with those of others.
  // Blocks until that is known; what is passed in is read until then.
  // requests     1 to k_together_max, checked
  // patience_us  how long they wait for their pass to begin, at most k_patience_us_max
  // Errors       those of the index; DeadlineExceeded for each: no pass began in time
  std::vector<Answer> search_batch(const ProductIndex& index,
                                   std::span<const SearchRequest> requests,
                                   std::int64_t patience_us = k_patience_us_max);

  // One search alone.
  Answer search(const ProductIndex& index, std::span<const float> query, std::size_t k,
                const RowFilter& allowed, std::int64_t patience_us = k_patience_us_max);

  std::uint64_t passes() const { return passes_.load(); }
  std::size_t waiting() const;  // calls that have no lane yet

 private:
  struct Waiting;

  // Makes the searches of `leader` and of those who wait for the same index. Gives the lane on.
  void lead(Waiting& leader, std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::size_t free_lanes_;
  std::deque<Waiting*> queue_;  // without a lane, in the order they came
  std::atomic<std::uint64_t> passes_ = 0;
};

}  // namespace vitrine::index
