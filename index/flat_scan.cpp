#include "index/flat_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace vitrine::index {
namespace {

// A block with at most this many rows allowed is scored row by row, the others as a whole. The scan
// is bound by memory: as long as half of a block need not be read, fetching the rest ahead is
// cheaper (benchmarks/index, "allowed").
constexpr int k_gather_up_to_rows = k_block_rows / 2;

// Rows are scored one by one this many at a time, so that their memory is on its way before it is
// needed.
constexpr std::size_t k_picks = 32;

bool is_ready_for_kernels(const VectorTable& vectors) {
  if (vectors.stride != padded_stride(vectors.dimension)) return false;
  if (reinterpret_cast<std::uintptr_t>(vectors.values) % sizeof(Lane) != 0) return false;
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    const float* values = vectors.values + row * vectors.stride;
    if (!std::all_of(values + vectors.dimension, values + vectors.stride,
                     [](float value) { return value == 0; })) {
      return false;
    }
  }
  return true;
}

}  // namespace

FlatScan::FlatScan(std::size_t dimension, const Kernels& kernels)
    : Segment(dimension), kernels_(&kernels), stride_(padded_stride(dimension)) {}

FlatScan::FlatScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
                   const Kernels& kernels)
    : FlatScan(vectors.dimension, kernels) {
  if (owner == nullptr || !is_ready_for_kernels(vectors)) {
    add_rows(vectors);
    return;
  }
  owner_ = std::move(owner);
  borrowed_ = vectors.values;
  ntotal = static_cast<idx_t>(vectors.row_count);
}

void FlatScan::add_rows(const VectorTable& vectors) {
  CHECK(owner_ == nullptr, "rows are added to one's own");
  const std::size_t first = row_count();
  const std::size_t lanes_per_row = stride_ / k_lane_floats;
  lanes_.resize((first + vectors.row_count) * lanes_per_row, Lane{});
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    std::memcpy(lanes_[(first + row) * lanes_per_row].values, vectors.values + row * vectors.stride,
                vectors.dimension * sizeof(float));
  }
  ntotal = static_cast<idx_t>(first + vectors.row_count);
}

VectorTable FlatScan::rows() const {
  return {values(), row_count(), static_cast<std::size_t>(d), stride_};
}

void FlatScan::collect(const float* query, const RowFilter& allowed, const RowFilter& live,
                       std::uint32_t first_row, BestRows& best) const {
  alignas(64) float scores[k_block_rows] = {};
  std::uint32_t picks[k_picks];
  std::size_t picked = 0;

  const auto score_picks = [&] {
    kernels_->score_picks(query, values(), stride_, picks, picked, scores);
    for (std::size_t i = 0; i < picked; ++i) {
      if (scores[i] >= best.threshold()) best.offer(first_row + picks[i], scores[i]);
    }
    picked = 0;
  };

  for (std::size_t block = 0; block < row_count(); block += k_block_rows) {
    const std::size_t count = std::min(k_block_rows, row_count() - block);
    std::uint64_t bits = allowed.bits_from(first_row + block) & live.bits_from(first_row + block);
    if (count < k_block_rows) bits &= (std::uint64_t{1} << count) - 1;
    if (bits == 0) continue;
    if (std::popcount(bits) <= k_gather_up_to_rows) {
      for (; bits != 0; bits &= bits - 1) {
        picks[picked] =
            static_cast<std::uint32_t>(block) + static_cast<std::uint32_t>(std::countr_zero(bits));
        prefetch(picks[picked]);
        if (++picked == k_picks) score_picks();
      }
      continue;
    }
    kernels_->score_block(query, values() + block * stride_, stride_, count, scores);
    for (bits &= kernels_->at_least(scores, best.threshold()); bits != 0; bits &= bits - 1) {
      const auto offset = static_cast<std::uint32_t>(std::countr_zero(bits));
      best.offer(first_row + static_cast<std::uint32_t>(block) + offset, scores[offset]);
    }
  }
  if (picked > 0) score_picks();
}

void FlatScan::collect(const float* query, std::span<const std::uint32_t> picks,
                       BestRows& best) const {
  float scores[k_picks];
  for (const std::uint32_t row : picks.first(std::min(k_picks, picks.size()))) prefetch(row);
  while (!picks.empty()) {
    const auto now = picks.first(std::min(k_picks, picks.size()));
    picks = picks.subspan(now.size());
    for (const std::uint32_t row : picks.first(std::min(k_picks, picks.size()))) prefetch(row);
    kernels_->score_picks(query, values(), stride_, now.data(), now.size(), scores);
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (scores[i] >= best.threshold()) best.offer(now[i], scores[i]);
    }
  }
}

void FlatScan::collect(std::span<Search> searches, const RowFilter& live) const {
  for (Search& search : searches) {
    collect(search.query.values(), *search.allowed, live, 0, search.best);
  }
}

std::size_t FlatScan::count_common(const RowFilter& allowed, const RowFilter& live) const {
  return kernels_->count_common(allowed.words().data(), live.words().data(),
                                row_count() / k_block_rows);
}

void FlatScan::prefetch(std::uint32_t row) const {
  const float* at = values() + row * stride_;
  for (std::size_t lane = 0; lane < stride_; lane += k_lane_floats) __builtin_prefetch(at + lane);
}

}  // namespace vitrine::index
