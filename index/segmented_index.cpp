#include "index/segmented_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "index/flat_scan.h"

namespace vitrine::index {
namespace {

constexpr std::size_t k_chunk_rows = 256;
constexpr std::size_t k_rows_max = std::numeric_limits<std::uint32_t>::max();

// False for NaN, too.
bool is_usable(float value) { return std::abs(value) <= ProductIndex::value_max; }

absl::Status check_values(const VectorTable& vectors) {
  for (std::size_t row = 0; row < vectors.row_count; ++row) {
    const float* values = vectors.values + row * vectors.stride;
    const float* end = values + vectors.dimension;
    if (const float* bad = std::find_if_not(values, end, is_usable); bad != end) {
      return invalid_argument("vectors must hold finite values up to {}, got {} in row {}",
                              ProductIndex::value_max, *bad, row);
    }
  }
  return absl::OkStatus();
}

VectorTable part_of(const VectorTable& vectors, std::size_t first, std::size_t count) {
  return {vectors.values + first * vectors.stride, count, vectors.dimension, vectors.stride};
}

}  // namespace

absl::Status check_vectors(const VectorTable& vectors) {
  constexpr std::size_t dimension_max = ProductIndex::dimension_max;
  if (vectors.dimension < 1 || vectors.dimension > dimension_max) {
    return invalid_argument("dimension must be 1 to {}, got {}", dimension_max, vectors.dimension);
  }
  if (vectors.stride < vectors.dimension) {
    return invalid_argument("stride must be at least the dimension {}, got {}", vectors.dimension,
                            vectors.stride);
  }
  if (vectors.row_count > k_rows_max) {
    return invalid_argument("row_count must be at most {}, got {}", k_rows_max, vectors.row_count);
  }
  return check_values(vectors);
}

SegmentedIndex::SegmentedIndex(std::shared_ptr<const Segment> base, const Kernels& kernels)
    : kernels_(&kernels),
      dimension_(static_cast<std::size_t>(base->d)),
      base_(std::move(base)),
      live_(RowFilter::all(base_->row_count())) {}

absl::Status SegmentedIndex::check(const SearchRequest& request) const {
  if (request.query.size() != dimension_) {
    return invalid_argument("query must have {} values, got {}", dimension_, request.query.size());
  }
  if (const auto bad = std::find_if_not(request.query.begin(), request.query.end(), is_usable);
      bad != request.query.end()) {
    return invalid_argument("query must hold finite values up to {}, got {}", value_max, *bad);
  }
  if (request.k < 1 || request.k > k_max) {
    return invalid_argument("k must be 1 to {}, got {}", k_max, request.k);
  }
  if (request.allowed->row_count() != row_count()) {
    return invalid_argument("allowed must have {} rows, got {}", row_count(),
                            request.allowed->row_count());
  }
  return absl::OkStatus();
}

void SegmentedIndex::collect(std::span<Search> searches) const {
  base_->collect(searches, live_);
  for (Search& search : searches) {
    std::size_t first_row = base_->row_count();
    for (const std::shared_ptr<const FlatScan>& chunk : tail_) {
      chunk->collect(search.query.values(), *search.allowed, live_,
                     static_cast<std::uint32_t>(first_row), search.best);
      first_row += chunk->row_count();
    }
  }
}

absl::StatusOr<std::vector<Neighbor>> SegmentedIndex::search(std::span<const float> query,
                                                             std::size_t k,
                                                             const RowFilter& allowed) const {
  VITRINE_RETURN_IF_ERROR(check({query, k, &allowed}));
  Search search(query, k, allowed);
  collect({&search, 1});
  return search.best.take();
}

std::vector<absl::StatusOr<std::vector<Neighbor>>> SegmentedIndex::search_batch(
    std::span<const SearchRequest> requests) const {
  std::vector<absl::StatusOr<std::vector<Neighbor>>> answers;
  std::vector<Search> searches;
  answers.reserve(requests.size());
  searches.reserve(requests.size());
  for (const SearchRequest& request : requests) {
    if (absl::Status status = check(request); !status.ok()) {
      answers.emplace_back(std::move(status));
      continue;
    }
    answers.emplace_back(std::vector<Neighbor>());
    searches.emplace_back(request.query, request.k, *request.allowed);
  }
  collect(searches);
  auto search = searches.begin();
  for (absl::StatusOr<std::vector<Neighbor>>& answer : answers) {
    if (answer.ok()) *answer = search++->best.take();
  }
  return answers;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> SegmentedIndex::with_tail(
    const VectorTable& vectors) const {
  if (vectors.dimension != dimension_) {
    return invalid_argument("tail vectors must have {} values, got {}", dimension_,
                            vectors.dimension);
  }
  if (vectors.row_count > k_rows_max - row_count()) {
    return invalid_argument("rows must stay below {}, got {} more than {}", k_rows_max,
                            vectors.row_count, row_count());
  }
  VITRINE_RETURN_IF_ERROR(check_values(vectors));

  auto next = std::make_shared<SegmentedIndex>(*this);
  std::size_t done = 0;
  while (done < vectors.row_count) {
    const bool has_room = !next->tail_.empty() && next->tail_.back()->row_count() < k_chunk_rows;
    auto chunk = has_room ? std::make_shared<FlatScan>(*next->tail_.back())
                          : std::make_shared<FlatScan>(dimension_, *kernels_);
    const std::size_t count = std::min(vectors.row_count - done, k_chunk_rows - chunk->row_count());
    chunk->add_rows(part_of(vectors, done, count));
    done += count;
    if (has_room) next->tail_.pop_back();
    next->tail_.push_back(std::move(chunk));
  }
  const std::size_t first_new = row_count();
  next->live_.grow(first_new + vectors.row_count);
  for (std::size_t row = first_new; row < next->row_count(); ++row) {
    next->live_.set(static_cast<std::uint32_t>(row));
  }
  return next;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> SegmentedIndex::with_tombstones(
    const RowFilter& dead) const {
  if (dead.row_count() != row_count()) {
    return invalid_argument("dead must have {} rows, got {}", row_count(), dead.row_count());
  }
  auto next = std::make_shared<SegmentedIndex>(*this);
  next->live_ = ~dead;
  return next;
}

std::span<const float> SegmentedIndex::vector(std::uint32_t row) const {
  CHECK(row < row_count(), "the row belongs to the index");
  const std::size_t base_rows = base_->row_count();
  const bool is_base = row < base_rows;
  const std::size_t tail_row = row - base_rows;
  const VectorTable rows = is_base ? base_->rows() : tail_[tail_row / k_chunk_rows]->rows();
  return {rows.values + (is_base ? row : tail_row % k_chunk_rows) * rows.stride, dimension_};
}

absl::Status SegmentedIndex::save(const std::filesystem::path& path) const {
  return base_->save(tail_, path);
}

}  // namespace vitrine::index
