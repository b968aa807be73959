#include "index/exact_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "index/best_rows.h"
#include "index/flat_scan.h"

namespace vitrine::index {
namespace {

constexpr std::size_t k_chunk_rows = 256;
constexpr std::size_t k_rows_max = std::numeric_limits<std::uint32_t>::max();

// False for NaN, too.
bool is_usable(float value) { return std::abs(value) <= ProductIndex::value_max; }

absl::Status check_vectors(const VectorTable& vectors) {
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

// FAISS leaks what it has read so far when a file is cut off, so the length is compared with what
// the header promises before FAISS sees it. The header of an IndexFlatIP: "IxFI", dimension (4
// bytes), rows (8), 29 more bytes.
absl::Status check_length(const std::filesystem::path& path) {
  constexpr std::size_t header_bytes = 45;
  char header[16] = {};
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto length = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(0).read(header, sizeof(header));
  std::uint32_t dimension = 0;
  std::uint64_t row_count = 0;
  std::memcpy(&dimension, header + 4, sizeof(dimension));
  std::memcpy(&row_count, header + 8, sizeof(row_count));
  if (!file || std::string_view(header, 4) != "IxFI" || row_count > k_rows_max ||
      dimension > ProductIndex::dimension_max ||
      length != header_bytes + row_count * dimension * sizeof(float)) {
    return data_loss("index file '{}' must hold a whole IndexFlatIP, got {} bytes", path.string(),
                     length);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<faiss::Index>> read_faiss(const std::filesystem::path& path) {
  VITRINE_RETURN_IF_ERROR(check_length(path));
  try {
    return std::unique_ptr<faiss::Index>(faiss::read_index(path.c_str()));
  } catch (const std::exception& error) {
    return data_loss("index file '{}' cannot be read: {}", path.string(), error.what());
  }
}

}  // namespace

ExactIndex::ExactIndex(std::size_t dimension, const Kernels& kernels)
    : kernels_(&kernels), dimension_(dimension) {}

absl::StatusOr<std::shared_ptr<const ExactIndex>> ExactIndex::build(const VectorTable& vectors,
                                                                    const Kernels& kernels) {
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
  VITRINE_RETURN_IF_ERROR(check_vectors(vectors));

  auto base = std::make_shared<FlatScan>(vectors.dimension, kernels);
  base->add_rows(vectors);
  std::shared_ptr<ExactIndex> index(new ExactIndex(vectors.dimension, kernels));
  index->segments_.push_back(std::move(base));
  index->live_ = RowFilter::all(vectors.row_count);
  return index;
}

absl::StatusOr<std::shared_ptr<const ExactIndex>> ExactIndex::load(
    const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return not_found("no index file '{}'", path.string());
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<faiss::Index> read, read_faiss(path));
  const auto* flat = dynamic_cast<const faiss::IndexFlat*>(read.get());
  if (flat == nullptr || flat->metric_type != faiss::METRIC_INNER_PRODUCT) {
    return data_loss("index file '{}' must hold an IndexFlatIP", path.string());
  }
  const auto dimension = static_cast<std::size_t>(flat->d);
  const auto row_count = static_cast<std::size_t>(flat->ntotal);
  if (flat->codes.size() != row_count * dimension * sizeof(float)) {
    return data_loss("index file '{}' must hold {} rows of {} floats, holds {} bytes",
                     path.string(), row_count, dimension, flat->codes.size());
  }
  auto index = build({flat->get_xb(), row_count, dimension, dimension});
  if (!index.ok()) {
    return data_loss("index file '{}': {}", path.string(), message_of(index.status()));
  }
  return index;
}

absl::StatusOr<std::vector<Neighbor>> ExactIndex::search(std::span<const float> query,
                                                         std::size_t k,
                                                         const RowFilter& allowed) const {
  if (query.size() != dimension_) {
    return invalid_argument("query must have {} values, got {}", dimension_, query.size());
  }
  if (const auto bad = std::find_if_not(query.begin(), query.end(), is_usable);
      bad != query.end()) {
    return invalid_argument("query must hold finite values up to {}, got {}", value_max, *bad);
  }
  if (k < 1 || k > k_max) return invalid_argument("k must be 1 to {}, got {}", k_max, k);
  if (allowed.row_count() != row_count()) {
    return invalid_argument("allowed must have {} rows, got {}", row_count(), allowed.row_count());
  }

  const PaddedQuery padded(query.data(), dimension_);
  BestRows best(k);
  std::size_t first_row = 0;
  for (const std::shared_ptr<const FlatScan>& segment : segments_) {
    segment->collect(padded.values(), allowed, live_, static_cast<std::uint32_t>(first_row), best);
    first_row += segment->row_count();
  }
  return best.take();
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> ExactIndex::with_tail(
    const VectorTable& vectors) const {
  if (vectors.dimension != dimension_) {
    return invalid_argument("tail vectors must have {} values, got {}", dimension_,
                            vectors.dimension);
  }
  if (vectors.row_count > k_rows_max - row_count()) {
    return invalid_argument("rows must stay below {}, got {} more than {}", k_rows_max,
                            vectors.row_count, row_count());
  }
  VITRINE_RETURN_IF_ERROR(check_vectors(vectors));

  std::shared_ptr<ExactIndex> next(new ExactIndex(*this));
  std::size_t done = 0;
  while (done < vectors.row_count) {
    const bool has_room =
        next->segments_.size() > 1 && next->segments_.back()->row_count() < k_chunk_rows;
    auto chunk = has_room ? std::make_shared<FlatScan>(*next->segments_.back())
                          : std::make_shared<FlatScan>(dimension_, *kernels_);
    const std::size_t count = std::min(vectors.row_count - done, k_chunk_rows - chunk->row_count());
    chunk->add_rows(part_of(vectors, done, count));
    done += count;
    if (has_room) next->segments_.pop_back();
    next->segments_.push_back(std::move(chunk));
  }
  const std::size_t first_new = row_count();
  next->live_.grow(first_new + vectors.row_count);
  for (std::size_t row = first_new; row < next->row_count(); ++row) {
    next->live_.set(static_cast<std::uint32_t>(row));
  }
  return next;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> ExactIndex::with_tombstones(
    const RowFilter& dead) const {
  if (dead.row_count() != row_count()) {
    return invalid_argument("dead must have {} rows, got {}", row_count(), dead.row_count());
  }
  std::shared_ptr<ExactIndex> next(new ExactIndex(*this));
  next->live_ = ~dead;
  return next;
}

std::span<const float> ExactIndex::vector(std::uint32_t row) const {
  CHECK(row < row_count(), "the row belongs to the index");
  const std::size_t base_rows = segments_.front()->row_count();
  const bool is_base = row < base_rows;
  const std::size_t tail_row = row - base_rows;
  const FlatScan& segment = is_base ? *segments_.front() : *segments_[1 + tail_row / k_chunk_rows];
  const VectorTable rows = segment.rows();
  return {rows.values + (is_base ? row : tail_row % k_chunk_rows) * rows.stride, dimension_};
}

absl::Status ExactIndex::save(const std::filesystem::path& path) const {
  try {
    faiss::IndexFlatIP flat(static_cast<faiss::Index::idx_t>(dimension_));
    for (const std::shared_ptr<const FlatScan>& segment : segments_) {
      const VectorTable rows = segment->rows();
      for (std::size_t row = 0; row < rows.row_count; ++row) {
        flat.add(1, rows.values + row * rows.stride);
      }
    }
    faiss::write_index(&flat, path.c_str());
  } catch (const std::exception& error) {
    return unavailable("index file '{}' cannot be written: {}", path.string(), error.what());
  }
  return absl::OkStatus();
}

}  // namespace vitrine::index
