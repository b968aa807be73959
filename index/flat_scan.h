// Product vectors in full precision, scanned row by row: the judge of all other segments, and the
// tail of each.
//
// Inside index/ only, because it shows FAISS. Thread-safety: const methods may run at the same time
// from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/segment.h"

namespace vitrine::index {

class FlatScan final : public Segment {
 public:
  // Without rows; add_rows() brings copies. `kernels` must outlive the scan.
  FlatScan(std::size_t dimension, const Kernels& kernels);

  // Scans `vectors` where they lie, kept alive by `owner`. Copies them when there is no owner, or
  // when they are not padded with zeros and aligned as the kernels want them.
  FlatScan(const VectorTable& vectors, std::shared_ptr<const void> owner, const Kernels& kernels);

  // Precondition: the rows are its own.
  void add_rows(const VectorTable& vectors);

  // Offers every row that `allowed` and `live` both contain. Row r of this scan is row first_row +
  // r in the filters and in `best`. `query` is padded and aligned as kernels.h says.
  void collect(const float* query, const RowFilter& allowed, const RowFilter& live,
               std::uint32_t first_row, BestRows& best) const;
  // Offers these rows.
  void collect(const float* query, std::span<const std::uint32_t> picks, BestRows& best) const;

  void collect(std::span<Search> searches, const RowFilter& live) const override;

  // How many rows of this scan, the first ones of the filters, both contain; the last few may be
  // left out.
  std::size_t count_common(const RowFilter& allowed, const RowFilter& live) const;
  VectorTable rows() const override;

 private:
  const float* values() const {
    return owner_ != nullptr ? borrowed_ : reinterpret_cast<const float*>(lanes_.data());
  }
  void prefetch(std::uint32_t row) const;

  const Kernels* kernels_;
  std::size_t stride_;
  std::vector<Lane> lanes_;            // empty when the rows are borrowed
  std::shared_ptr<const void> owner_;  // null when they are not
  const float* borrowed_ = nullptr;
};

}  // namespace vitrine::index
