#include "training/similar_products.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "model/vector_kernels.h"
#include "training/panel_kernels.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_panel = PanelKernels::k_rows;
// Two blocks meet in the second-level cache.
constexpr std::size_t k_block_bytes = std::size_t{256} << 10U;

struct Candidate {
  float score;
  std::uint32_t row;
};

bool is_better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// The best few of every row. Candidates gather until there are twice as many as wanted; then the
// worse half goes. What stays is the same in whatever order they came.
class BestOfRows {
 public:
  BestOfRows(std::size_t row_count, std::size_t count)
      : count_(count),
        bars_(row_count, std::numeric_limits<float>::denorm_min()),
        sizes_(row_count),
        candidates_(2 * count * row_count) {}

  // By row: only scores as high as this are worth adding. Always above 0.
  const float* bars() const { return bars_.data(); }

  void add(std::size_t row, const Candidate& candidate) {
    if (candidate.score < bars_[row]) return;
    Candidate* const first = candidates_.data() + 2 * count_ * row;
    first[sizes_[row]++] = candidate;
    if (sizes_[row] < 2 * count_) return;
    std::nth_element(first, first + count_ - 1, first + 2 * count_, is_better);
    sizes_[row] = static_cast<std::uint32_t>(count_);
    bars_[row] = first[count_ - 1].score;
  }

  std::vector<RelatedProduct> sorted(std::size_t row) {
    Candidate* const first = candidates_.data() + 2 * count_ * row;
    const std::size_t kept = std::min<std::size_t>(count_, sizes_[row]);
    std::partial_sort(first, first + kept, first + sizes_[row], is_better);
    std::vector<RelatedProduct> list(kept);
    for (std::size_t i = 0; i < kept; ++i) list[i] = {first[i].row, first[i].score, 0, 0};
    return list;
  }

 private:
  std::size_t count_;
  AlignedFloats bars_;
  std::vector<std::uint32_t> sizes_;
  std::vector<Candidate> candidates_;
};

// The rows, each of length 1, as panels; the last panel is filled up with zeros.
AlignedFloats unit_panels(const AlignedFloats& factors, std::size_t row_count, std::size_t stride,
                          unsigned threads) {
  const std::size_t panels = (row_count + k_panel - 1) / k_panel;
  AlignedFloats units(panels * k_panel * stride);
  for_each_piece(panels, threads, [&](std::size_t panel) {
    float* const target = units.data() + panel * k_panel * stride;
    const std::size_t rows = std::min(k_panel, row_count - panel * k_panel);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* const row = factors.data() + (panel * k_panel + r) * stride;
      const float norm = std::sqrt(vector_kernels().dot(row, row, stride));
      if (!(norm > 0)) continue;
      for (std::size_t i = 0; i < stride; ++i) target[i * k_panel + r] = row[i] / norm;
    }
  });
  return units;
}

class SimilarSearch {
 public:
  SimilarSearch(const AlignedFloats& factors, std::size_t row_count, std::size_t stride,
                std::uint32_t similar_max, unsigned threads)
      : stride_(stride),
        threads_(threads),
        row_count_(row_count),
        panel_count_((row_count + k_panel - 1) / k_panel),
        panels_a_block_(
            std::max<std::size_t>(1, k_block_bytes / (k_panel * stride * sizeof(float)))),
        units_(unit_panels(factors, row_count, stride, threads)),
        best_(panel_count_ * k_panel, similar_max) {}

  // False when it was cancelled. Blocks meet as in a tournament: in round r block i meets the block
  // j with i + j = r, modulo the number of blocks. No block meets two in one round, so that threads
  // share no list.
  bool run(const SimilarWatch& watch) {
    const std::size_t blocks = (panel_count_ + panels_a_block_ - 1) / panels_a_block_;
    for (std::size_t round = 0; round < blocks; ++round) {
      std::vector<std::pair<std::size_t, std::size_t>> pairs;
      for (std::size_t i = 0; i < blocks; ++i) {
        const std::size_t j = (round + blocks - i) % blocks;
        if (i <= j) pairs.emplace_back(i, j);
      }
      for_each_piece(pairs.size(), threads_, [&](std::size_t piece) {
        if (watch.cancel == nullptr || !watch.cancel->load())
          meet_blocks(pairs[piece].first, pairs[piece].second);
      });
      if (watch.cancel != nullptr && watch.cancel->load()) return false;
      if (watch.on_progress)
        watch.on_progress(static_cast<double>(round + 1) / static_cast<double>(blocks));
    }
    return true;
  }

  NeighborLists take_lists() {
    NeighborLists lists(row_count_);
    for (std::size_t row = 0; row < row_count_; ++row) lists[row] = best_.sorted(row);
    return lists;
  }

 private:
  void meet_blocks(std::size_t left, std::size_t right) {
    const std::size_t left_end = std::min(panel_count_, (left + 1) * panels_a_block_);
    const std::size_t right_end = std::min(panel_count_, (right + 1) * panels_a_block_);
    for (std::size_t b = right * panels_a_block_; b < right_end; ++b) {
      const std::size_t last = left == right ? b + 1 : left_end;
      for (std::size_t a = left * panels_a_block_; a < last; ++a) meet_panels(a, b);
    }
  }

  void meet_panels(std::size_t a, std::size_t b) {
    alignas(64) float scores[k_panel * k_panel];
    const float* const bars = best_.bars();
    std::uint32_t wanted = panel_kernels().score(scores, units_.data() + a * k_panel * stride_,
                                                 units_.data() + b * k_panel * stride_,
                                                 bars + a * k_panel, bars + b * k_panel, stride_);
    for (; wanted != 0; wanted &= wanted - 1) {
      const auto r = static_cast<std::size_t>(std::countr_zero(wanted));
      add_row(scores + r * k_panel, a * k_panel + r, b * k_panel);
    }
  }

  // Within one panel a pair is met from both sides, and a product meets itself.
  void add_row(const float* scores, std::size_t row, std::size_t first_other) {
    const bool is_one_panel = row / k_panel * k_panel == first_other;
    for (std::size_t c = 0; c < k_panel; ++c) {
      const std::size_t other = first_other + c;
      if (is_one_panel && other == row) continue;
      best_.add(row, {scores[c], static_cast<std::uint32_t>(other)});
      if (!is_one_panel) best_.add(other, {scores[c], static_cast<std::uint32_t>(row)});
    }
  }

  std::size_t stride_;
  unsigned threads_;
  std::size_t row_count_;
  std::size_t panel_count_;
  std::size_t panels_a_block_;
  AlignedFloats units_;
  BestOfRows best_;
};

}  // namespace

absl::StatusOr<NeighborLists> similar_products(const AlignedFloats& factors, std::size_t row_count,
                                               std::size_t stride, std::uint32_t similar_max,
                                               unsigned threads, const SimilarWatch& watch) {
  if (similar_max == 0) return NeighborLists(row_count);
  SimilarSearch search(factors, row_count, stride, similar_max, threads);
  if (!search.run(watch)) return absl::CancelledError("training was cancelled");
  return search.take_lists();
}

}  // namespace vitrine::training
