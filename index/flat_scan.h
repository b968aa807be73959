// Product vectors in memory, scanned row by row: a faiss::Index whose inner loops are ours.
//
// Inside index/ only, because it shows FAISS. FAISS remains the interface and, through an
// IndexFlatIP, the file format. Thread-safety: const methods may run at the same time from any
// thread.
#pragma once

#include <faiss/Index.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/best_rows.h"
#include "index/kernels.h"
#include "index/product_index.h"
#include "index/row_filter.h"

namespace vitrine::index {

struct alignas(k_lane_floats * sizeof(float)) Lane {
  float values[k_lane_floats];
};

class FlatScan final : public faiss::Index {
 public:
  // `kernels` must outlive the scan.
  FlatScan(std::size_t dimension, const Kernels& kernels);

  void add_rows(const VectorTable& vectors);
  std::size_t row_count() const { return static_cast<std::size_t>(ntotal); }
  VectorTable rows() const;

  // Offers every row that `allowed` and `live` both contain. Row r of this scan is row first_row +
  // r in the filters and in `best`. `query` is padded and aligned as kernels.h says.
  void collect(const float* query, const RowFilter& allowed, const RowFilter& live,
               std::uint32_t first_row, BestRows& best) const;

  // FAISS's interface: n queries one after the other, short answers padded with -1.
  void add(idx_t n, const float* x) override;
  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* params = nullptr) const override;
  void reconstruct(idx_t key, float* recons) const override;
  void reset() override;

 private:
  const float* row_at(std::size_t row) const { return lanes_[row * lanes_per_row_].values; }

  const Kernels* kernels_;
  std::size_t lanes_per_row_;
  std::vector<Lane> lanes_;
};

// A query as the kernels want it: aligned, and padded with zeros.
class PaddedQuery {
 public:
  // `dimension` is at most ProductIndex::dimension_max.
  PaddedQuery(const float* query, std::size_t dimension);
  const float* values() const { return lanes_[0].values; }

 private:
  Lane lanes_[ProductIndex::dimension_max / k_lane_floats];
};

}  // namespace vitrine::index
