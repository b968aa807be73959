// Scans every allowed row in full precision: the judge of all other indexes, and the choice for
// small catalogs.
//
// Rows lie in segments: first the base, then the tail in chunks that are never written again once
// full, so that a snapshot with one more row copies one chunk. Thread-safety: const methods may run
// at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "index/kernels.h"
#include "index/product_index.h"

namespace vitrine::index {

class FlatScan;

class ExactIndex final : public ProductIndex {
 public:
  // Copies `vectors`. `kernels` must outlive the index and its snapshots.
  // Errors   InvalidArgument: dimension outside [1, dimension_max], or a value that is not finite
  static absl::StatusOr<std::shared_ptr<const ExactIndex>> build(
      const VectorTable& vectors, const Kernels& kernels = best_kernels());

  // Reads what save() wrote, or any IndexFlatIP of FAISS.
  // Errors   NotFound: no such file. DataLoss: not such an index, cut off, or with values that are
  // not finite
  static absl::StatusOr<std::shared_ptr<const ExactIndex>> load(const std::filesystem::path& path);

  absl::StatusOr<std::vector<Neighbor>> search(std::span<const float> query, std::size_t k,
                                               const RowFilter& allowed) const override;
  absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tail(
      const VectorTable& vectors) const override;
  absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tombstones(
      const RowFilter& dead) const override;
  std::span<const float> vector(std::uint32_t row) const override;
  absl::Status save(const std::filesystem::path& path) const override;
  std::size_t dimension() const override { return dimension_; }
  std::size_t row_count() const override { return live_.row_count(); }

 private:
  ExactIndex(std::size_t dimension, const Kernels& kernels);

  const Kernels* kernels_;
  std::size_t dimension_;
  std::vector<std::shared_ptr<const FlatScan>> segments_;  // the base, then the tail
  RowFilter live_;                                         // all rows but the tombstones
};

}  // namespace vitrine::index
