// Scans every allowed row in full precision: the judge of all other indexes, and the choice for
// small catalogs.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>

#include "index/kernels.h"
#include "index/product_index.h"

namespace vitrine::index {

struct ExactIndex {
  // Scans `vectors` where they lie, kept alive by `owner`; copies them when there is no owner, or
  // when rows are not 64-byte aligned and padded with zeros to a multiple of 16 floats. `kernels`
  // must outlive the index and its snapshots.
  // Errors   InvalidArgument: dimension outside [1, dimension_max], or a value that is not finite
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> build(
      const VectorTable& vectors, std::shared_ptr<const void> owner = nullptr,
      const Kernels& kernels = best_kernels());

  // Reads what save() wrote, or any IndexFlatIP of FAISS.
  // Errors   NotFound: no such file. DataLoss: not such an index, cut off, or with values that are
  // not finite
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> load(
      const std::filesystem::path& path);
};

}  // namespace vitrine::index
