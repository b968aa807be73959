// What all indexes share: a base that never changes, a tail of rows added since, and tombstones.
//
// The tail lies in chunks that are never written again once full, so that a snapshot with one more
// row copies one chunk; it is scanned exactly with every search. Inside index/ only, because it
// shows FAISS. Thread-safety: const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "index/kernels.h"
#include "index/product_index.h"
#include "index/segment.h"

namespace vitrine::index {

// Errors   InvalidArgument: dimension outside [1, ProductIndex::dimension_max], too many rows, a
// stride that is too short, or a value that is not usable
absl::Status check_vectors(const VectorTable& vectors);

class SegmentedIndex final : public ProductIndex {
 public:
  // `kernels`, for the tail, must outlive the index and its snapshots.
  SegmentedIndex(std::shared_ptr<const Segment> base, const Kernels& kernels);

  absl::StatusOr<std::vector<Neighbor>> search(std::span<const float> query, std::size_t k,
                                               const RowFilter& allowed) const override;
  std::vector<absl::StatusOr<std::vector<Neighbor>>> search_batch(
      std::span<const SearchRequest> requests) const override;
  absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tail(
      const VectorTable& vectors) const override;
  absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tombstones(
      const RowFilter& dead) const override;
  std::span<const float> vector(std::uint32_t row) const override;
  absl::Status save(const std::filesystem::path& path) const override;
  std::size_t dimension() const override { return dimension_; }
  std::size_t row_count() const override { return live_.row_count(); }

 private:
  absl::Status check(const SearchRequest& request) const;
  void collect(std::span<Search> searches) const;

  const Kernels* kernels_;
  std::size_t dimension_;
  std::shared_ptr<const Segment> base_;
  std::vector<std::shared_ptr<const FlatScan>> tail_;
  RowFilter live_;  // all rows but the tombstones
};

}  // namespace vitrine::index
