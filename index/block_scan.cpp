#include "index/block_scan.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "index/row_key.h"

namespace vitrine::index {
namespace {

// How many rows are scored again in full precision: coding moves few rows further than this past
// each other (benchmarks/index prints the recall).
std::size_t candidates_for(std::size_t k) { return k + k / 8 + 24; }

// The best rows by coded score. Rows come in rising order, so that one which only equals the worst
// of them is never among the best.
class Candidates {
 public:
  explicit Candidates(std::size_t limit)
      : limit_(limit),
        capacity_(2 * limit + k_block_rows),
        keys_(std::make_unique_for_overwrite<std::uint64_t[]>(capacity_)) {}

  // Takes in a block; returns the score a row must exceed from now on.
  float add(std::uint64_t wanted, const float* scores, std::uint32_t first_row) {
    for (; wanted != 0; wanted &= wanted - 1) {
      const auto offset = static_cast<std::uint32_t>(std::countr_zero(wanted));
      keys_[size_++] = key_of(scores[offset], first_row + offset);
    }
    if (size_ + k_block_rows > capacity_) cut();
    return threshold_;
  }

  // In no order.
  std::vector<std::uint32_t> take() {
    if (size_ > limit_) cut();
    std::vector<std::uint32_t> rows(size_);
    std::transform(keys_.get(), keys_.get() + size_, rows.begin(), row_of);
    return rows;
  }

 private:
  void cut() {
    select_largest(keys_.get(), size_, limit_);
    threshold_ = score_of(*std::min_element(keys_.get(), keys_.get() + limit_));
    size_ = limit_;
  }

  std::size_t limit_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::unique_ptr<std::uint64_t[]> keys_;
  float threshold_ = -std::numeric_limits<float>::infinity();
};

// The searches of one pass, in parallel arrays as the kernels want them.
class Pass {
 public:
  explicit Pass(std::span<Search*> searches) : count_(searches.size()) {
    codes_.reserve(count_);
    candidates_.reserve(count_);
    for (std::size_t q = 0; q < count_; ++q) {
      const std::size_t dimension = searches[q]->dimension;
      codes_.emplace_back(std::span(searches[q]->query.values(), dimension));
      candidates_.emplace_back(candidates_for(searches[q]->k));
      allowed_[q] = searches[q]->allowed->words().data();
      number_[q] = q;
      queries_[q] = codes_[q].above(-std::numeric_limits<float>::infinity());
    }
  }

  bool is_done() const { return count_ == 0; }
  Candidates& candidates(std::size_t search) { return candidates_[search]; }

  // Leaves out the searches that no later row can change.
  void stop_where(float norm) {
    for (std::size_t q = count_; q-- > 0;) {
      if (norm * codes_[number_[q]].norm() > queries_[q].threshold) continue;
      --count_;
      queries_[q] = queries_[count_];
      allowed_[q] = allowed_[count_];
      number_[q] = number_[count_];
    }
  }

  void scan(const CodeBlocks& blocks, std::size_t block, std::uint64_t live,
            const Kernels& kernels) {
    std::uint64_t masks[k_together];
    std::uint64_t any = 0;
    for (std::size_t q = 0; q < count_; ++q) any |= masks[q] = allowed_[q][block] & live;
    if (any == 0) return;
    std::uint64_t wanted[k_together];
    kernels.score_coded(blocks.block(block), blocks.quads(), queries_, count_, scores_, wanted);
    for (std::size_t q = 0; q < count_; ++q) {
      wanted[q] &= masks[q];
      if (wanted[q] == 0) continue;
      queries_[q].threshold = candidates_[number_[q]].add(
          wanted[q], scores_ + q * k_block_rows, static_cast<std::uint32_t>(block * k_block_rows));
    }
  }

 private:
  static constexpr std::size_t k_together = Kernels::k_coded_queries_max;

  std::size_t count_;  // searches that are not done yet
  std::vector<QueryCode> codes_;
  std::vector<Candidates> candidates_;
  CodedQuery queries_[k_together];
  const std::uint64_t* allowed_[k_together];
  std::size_t number_[k_together];  // which of the searches this is
  alignas(64) float scores_[k_together * k_block_rows];
};

}  // namespace

BlockScan::BlockScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
                     const Kernels& kernels)
    : Segment(vectors.dimension),
      kernels_(&kernels),
      rows_(vectors, std::move(owner), kernels),
      blocks_(vectors) {
  ntotal = rows_.ntotal;
}

void BlockScan::collect(std::span<Search> searches, const RowFilter& live) const {
  std::vector<Search*> together;
  for (Search& search : searches) {
    const std::size_t left = rows_.count_common(*search.allowed, live);
    if (left <= row_count() / k_narrow_one_of || left <= candidates_for(search.k)) {
      rows_.collect(search.query.values(), *search.allowed, live, 0, search.best);
    } else {
      together.push_back(&search);
    }
  }
  for (std::size_t first = 0; first < together.size(); first += Kernels::k_coded_queries_max) {
    const std::size_t count = std::min(Kernels::k_coded_queries_max, together.size() - first);
    collect_together(std::span(together).subspan(first, count), live);
  }
}

void BlockScan::collect_together(std::span<Search*> searches, const RowFilter& live) const {
  Pass pass(searches);
  for (std::size_t block = 0; block < blocks_.count(); ++block) {
    if (block % CodeBlocks::k_bound_blocks == 0) {
      pass.stop_where(blocks_.norm_from(block));
      if (pass.is_done()) break;
    }
    // Behind the last row of the base begin the rows of the tail.
    const std::size_t rows = std::min(k_block_rows, row_count() - block * k_block_rows);
    const std::uint64_t base =
        rows == k_block_rows ? ~std::uint64_t{0} : (std::uint64_t{1} << rows) - 1;
    pass.scan(blocks_, block, live.words()[block] & base, *kernels_);
  }
  for (std::size_t q = 0; q < searches.size(); ++q) {
    rows_.collect(searches[q]->query.values(), pass.candidates(q).take(), searches[q]->best);
  }
}

}  // namespace vitrine::index
