#include "index/flat_scan.h"

#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace vitrine::index {
namespace {

// A block with at most this many rows allowed is scored row by row, the others as a whole. The scan
// is bound by memory: as long as half of a block need not be read, fetching the rest ahead is
// cheaper (benchmarks/index, "allowed").
constexpr int k_gather_up_to_rows = k_block_rows / 2;

// Rows to be scored one by one, gathered over many blocks so that their memory is on its way before
// it is needed.
struct Picks {
  static constexpr std::size_t capacity = 32;
  std::uint32_t rows[capacity];
  std::size_t count = 0;
};

RowFilter filter_of(const faiss::SearchParameters* params, std::size_t row_count) {
  if (params == nullptr || params->sel == nullptr) return RowFilter::all(row_count);
  RowFilter filter = RowFilter::none(row_count);
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (params->sel->is_member(row)) filter.set(row);
  }
  return filter;
}

}  // namespace

FlatScan::FlatScan(std::size_t dimension, const Kernels& kernels)
    : faiss::Index(static_cast<idx_t>(dimension), faiss::METRIC_INNER_PRODUCT),
      kernels_(&kernels),
      lanes_per_row_((dimension + k_lane_floats - 1) / k_lane_floats) {}

void FlatScan::add_rows(const VectorTable& vectors) {
  const std::size_t first = row_count();
  lanes_.resize((first + vectors.row_count) * lanes_per_row_, Lane{});
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    std::memcpy(lanes_[(first + row) * lanes_per_row_].values,
                vectors.values + row * vectors.stride, vectors.dimension * sizeof(float));
  }
  ntotal = static_cast<idx_t>(first + vectors.row_count);
}

VectorTable FlatScan::rows() const {
  return {lanes_.empty() ? nullptr : row_at(0), row_count(), static_cast<std::size_t>(d),
          lanes_per_row_ * k_lane_floats};
}

void FlatScan::collect(const float* query, const RowFilter& allowed, const RowFilter& live,
                       std::uint32_t first_row, BestRows& best) const {
  if (lanes_.empty()) return;
  const std::size_t stride = lanes_per_row_ * k_lane_floats;
  alignas(64) float scores[k_block_rows] = {};
  Picks picks;

  const auto score_picks = [&] {
    kernels_->score_picks(query, row_at(0), stride, picks.rows, picks.count, scores);
    for (std::size_t i = 0; i < picks.count; ++i) {
      if (scores[i] >= best.threshold()) best.offer(first_row + picks.rows[i], scores[i]);
    }
    picks.count = 0;
  };
  const auto pick = [&](std::size_t row) {
    for (std::size_t lane = 0; lane < lanes_per_row_; ++lane) {
      __builtin_prefetch(&lanes_[row * lanes_per_row_ + lane]);
    }
    picks.rows[picks.count++] = static_cast<std::uint32_t>(row);
    if (picks.count == Picks::capacity) score_picks();
  };

  for (std::size_t block = 0; block < row_count(); block += k_block_rows) {
    const std::size_t count = std::min(k_block_rows, row_count() - block);
    std::uint64_t bits = allowed.bits_from(first_row + block) & live.bits_from(first_row + block);
    if (count < k_block_rows) bits &= (std::uint64_t{1} << count) - 1;
    if (std::popcount(bits) <= k_gather_up_to_rows) {
      for (; bits != 0; bits &= bits - 1) {
        pick(block + static_cast<std::size_t>(std::countr_zero(bits)));
      }
      continue;
    }
    kernels_->score_block(query, row_at(block), stride, count, scores);
    for (bits &= kernels_->at_least(scores, best.threshold()); bits != 0; bits &= bits - 1) {
      const auto offset = static_cast<std::uint32_t>(std::countr_zero(bits));
      best.offer(first_row + static_cast<std::uint32_t>(block) + offset, scores[offset]);
    }
  }
  score_picks();
}

void FlatScan::add(idx_t n, const float* x) {
  const auto dimension = static_cast<std::size_t>(d);
  add_rows({x, static_cast<std::size_t>(n), dimension, dimension});
}

void FlatScan::search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
                      const faiss::SearchParameters* params) const {
  const RowFilter live = RowFilter::all(row_count());
  const RowFilter allowed = filter_of(params, row_count());
  for (idx_t q = 0; q < n; ++q) {
    const PaddedQuery query(x + q * d, static_cast<std::size_t>(d));
    BestRows best(static_cast<std::size_t>(k));
    collect(query.values(), allowed, live, 0, best);
    const std::vector<Neighbor> found = best.take();
    for (idx_t i = 0; i < k; ++i) {
      const bool is_found = i < static_cast<idx_t>(found.size());
      labels[q * k + i] =
          is_found ? static_cast<idx_t>(found[static_cast<std::size_t>(i)].row) : -1;
      distances[q * k + i] = is_found ? found[static_cast<std::size_t>(i)].score
                                      : -std::numeric_limits<float>::infinity();
    }
  }
}

void FlatScan::reconstruct(idx_t key, float* recons) const {
  std::memcpy(recons, row_at(static_cast<std::size_t>(key)),
              static_cast<std::size_t>(d) * sizeof(float));
}

void FlatScan::reset() {
  lanes_.clear();
  ntotal = 0;
}

PaddedQuery::PaddedQuery(const float* query, std::size_t dimension) {
  const std::size_t lanes = (dimension + k_lane_floats - 1) / k_lane_floats;
  std::memset(&lanes_[lanes - 1], 0, sizeof(Lane));
  std::memcpy(lanes_, query, dimension * sizeof(float));
}

}  // namespace vitrine::index
