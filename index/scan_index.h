// Finds candidates among vectors of 4-bit whole numbers, and scores them in full precision: the
// choice for catalogs of thousands to millions.
//
// Scores are the ones of ExactIndex to the last bit; of the products, one in ten thousands may be
// missed where coding moved it far down (benchmarks/index prints the recall). Narrow filters are
// answered from the allowed rows alone, and exactly.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>

#include "index/kernels.h"
#include "index/product_index.h"

namespace vitrine::index {

struct ScanIndex {
  // As ExactIndex::build. Rows in order of falling norm let a search end before the last row.
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> build(
      const VectorTable& vectors, std::shared_ptr<const void> owner = nullptr,
      const Kernels& kernels = best_kernels());

  // As ExactIndex::load: the file holds the vectors, the codes are made anew.
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> load(
      const std::filesystem::path& path);
};

}  // namespace vitrine::index
