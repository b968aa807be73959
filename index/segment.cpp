#include "index/segment.h"

#include <faiss/impl/FaissAssert.h>
#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "index/faiss_file.h"
#include "index/flat_scan.h"

namespace vitrine::index {
namespace {

RowFilter filter_of(const faiss::SearchParameters* params, std::size_t row_count) {
  if (params == nullptr || params->sel == nullptr) return RowFilter::all(row_count);
  RowFilter filter = RowFilter::none(row_count);
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (params->sel->is_member(row)) filter.set(row);
  }
  return filter;
}

}  // namespace

PaddedQuery::PaddedQuery(std::span<const float> query)
    : lanes_((query.size() + k_lane_floats - 1) / k_lane_floats, Lane{}) {
  std::memcpy(lanes_.data(), query.data(), query.size_bytes());
}

Segment::Segment(std::size_t dimension)
    : faiss::Index(static_cast<idx_t>(dimension), faiss::METRIC_INNER_PRODUCT) {}

absl::Status Segment::save(std::span<const std::shared_ptr<const FlatScan>> tail,
                           const std::filesystem::path& path) const {
  std::vector<VectorTable> parts = {rows()};
  for (const std::shared_ptr<const FlatScan>& chunk : tail) parts.push_back(chunk->rows());
  return write_flat(parts, path);
}

void Segment::search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
                     const faiss::SearchParameters* params) const {
  const RowFilter live = RowFilter::all(row_count());
  const RowFilter allowed = filter_of(params, row_count());
  const auto dimension = static_cast<std::size_t>(d);
  const auto limit = static_cast<std::size_t>(k);
  std::vector<Search> searches;
  searches.reserve(static_cast<std::size_t>(n));
  for (std::size_t q = 0; q < static_cast<std::size_t>(n); ++q) {
    searches.emplace_back(std::span(x + q * dimension, dimension), limit, allowed);
  }
  collect(searches, live);
  for (Search& search : searches) {
    const std::vector<Neighbor> found = search.best.take();
    for (std::size_t i = 0; i < limit; ++i) {
      *labels++ = i < found.size() ? static_cast<idx_t>(found[i].row) : -1;
      *distances++ = i < found.size() ? found[i].score : -std::numeric_limits<float>::infinity();
    }
  }
}

void Segment::reconstruct(idx_t key, float* recons) const {
  const VectorTable table = rows();
  std::memcpy(recons, table.values + static_cast<std::size_t>(key) * table.stride,
              table.dimension * sizeof(float));
}

void Segment::add(idx_t, const float*) { FAISS_THROW_MSG("a segment is built as a whole"); }

void Segment::reset() { FAISS_THROW_MSG("a segment is built as a whole"); }

}  // namespace vitrine::index
