#include "index/block_scan.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "index/row_key.h"

namespace vitrine::index {
namespace {

// About so many rows are scored again in full precision for each that is asked for.
constexpr std::size_t k_scored_again = 3;

// Of more bytes than caches hold, a vector fetched alone costs a wait for memory, so that fewer are
// worth it (benchmarks/index, "allowed").
constexpr std::size_t k_cached_bytes = std::size_t{64} << 20;
constexpr std::size_t k_narrow_one_of_uncached = 20;

std::size_t narrow_one_of(const VectorTable& vectors) {
  const std::size_t bytes = vectors.row_count * vectors.stride * sizeof(float);
  return bytes <= k_cached_bytes ? k_narrow_one_of : k_narrow_one_of_uncached;
}

// The rows that may be among the best k: those whose score, with what coding may have cost it, is
// above the k-th best of the scores as coded. Rows come in rising order, so that one which only
// equals that is never among the best.
class Candidates {
 public:
  explicit Candidates(std::size_t k)
      : k_(k),
        best_(k + k / 2 + k_block_rows),
        kept_(2 * k_scored_again * k + k_block_rows),
        tidy_at_(kept_.size() - k_block_rows) {}

  // Takes in a block: scores with the slack, and what to take off for each unit of a row's scale.
  // Returns the score with slack that a row must exceed from now on.
  float add(std::uint64_t wanted, const float* scores, const float* scales, float slack,
            std::uint32_t first_row) {
    std::uint64_t* best = best_.data() + best_count_;
    Kept* kept = kept_.data() + kept_count_;
    for (; wanted != 0; wanted &= wanted - 1) {
      const auto offset = static_cast<std::uint32_t>(std::countr_zero(wanted));
      const float score = scores[offset];
      const float as_coded = score - slack * scales[offset];
      *kept++ = {score, first_row + offset};
      *best = key_of(as_coded, first_row + offset);
      best += static_cast<std::size_t>(as_coded > threshold_);
    }
    best_count_ = static_cast<std::size_t>(best - best_.data());
    kept_count_ = static_cast<std::size_t>(kept - kept_.data());
    if (best_count_ + k_block_rows > best_.size()) cut();
    if (kept_count_ > tidy_at_) tidy();
    return threshold_;
  }

  // In rising order.
  std::vector<std::uint32_t> take() {
    if (best_count_ > k_) cut();
    tidy();
    std::vector<std::uint32_t> rows(kept_count_);
    std::transform(kept_.data(), kept_.data() + kept_count_, rows.data(),
                   [](const Kept& kept) { return kept.row; });
    return rows;
  }

 private:
  struct Kept {
    float score;
    std::uint32_t row;
  };

  void cut() {
    select_largest(best_.data(), best_count_, k_);
    threshold_ = score_of(*std::min_element(best_.data(), best_.data() + k_));
    best_count_ = k_;
  }

  // Leaves out what is not wanted any more. Where more than half of it is, there will be more room.
  void tidy() {
    std::size_t left = 0;
    for (std::size_t i = 0; i < kept_count_; ++i) {
      kept_[left] = kept_[i];
      left += static_cast<std::size_t>(kept_[i].score >= threshold_);
    }
    kept_count_ = left;
    if (left <= tidy_at_ / 2) return;
    tidy_at_ *= 2;
    kept_.resize(tidy_at_ + k_block_rows);
  }

  std::size_t k_;
  std::vector<std::uint64_t> best_;  // as coded
  std::size_t best_count_ = 0;
  std::vector<Kept> kept_;
  std::size_t kept_count_ = 0;
  std::size_t tidy_at_;  // so many are kept at most, and those of one block more
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
      candidates_.emplace_back(searches[q]->k);
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
    kernels.score_coded(blocks.block(block), blocks.eights(), queries_, count_, scores_, wanted);
    for (std::size_t q = 0; q < count_; ++q) {
      wanted[q] &= masks[q];
      if (wanted[q] == 0) continue;
      queries_[q].threshold = candidates_[number_[q]].add(
          wanted[q], scores_ + q * k_block_rows, blocks.scales(block), codes_[number_[q]].slack(),
          static_cast<std::uint32_t>(block * k_block_rows));
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
  const std::size_t narrow = row_count() / narrow_one_of(rows());
  for (Search& search : searches) {
    const std::size_t left = rows_.count_common(*search.allowed, live);
    if (left <= narrow || left <= k_scored_again * search.k) {
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
